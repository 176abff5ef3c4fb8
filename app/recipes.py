"""From a recipe's name to the settings a run is started with."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lookalike.errors import ConfigError

PACKAGED = Path(__file__).parents[1] / "pipelines" / "recipes"
BESIDE_DATA = ("weights", "../weights", "../../weights")
"""Where backbones are looked for, from the catalogue's folder."""


SCRATCH = "fashion_scratch"
"""Recipe whose encoder needs no download."""


@dataclass(frozen=True)
class ChosenRecipe:
    """A recipe ready to run, and the sentence that says where its encoder comes from."""

    settings: dict[str, Any]
    sentence: str

    @property
    def text(self) -> str:
        """The recipe as a pipeline takes it: YAML, here in its JSON form."""
        return json.dumps(self.settings)


def resolve_recipe(name: str, encoder: str = "", epochs: int = 0, catalogue: str = "") -> ChosenRecipe:
    """Read a packaged recipe or a YAML file, with another encoder or number of epochs where given.

    A backbone that a recipe names is looked for beside the catalogue. Raises ConfigError listing the packaged
    recipes, or for an encoder folder without a config.json.
    """
    recipe = _read(name)
    if epochs:
        recipe["epochs"] = epochs
    source = encoder or recipe["encoder"].get("source")
    if not source:
        return ChosenRecipe(recipe, f"encoder: random weights ({name})")
    found = _find(source, catalogue)
    if found is not None:
        recipe["encoder"] = {**recipe["encoder"], "source": str(found)}
        return ChosenRecipe(recipe, f"encoder: {found} ({name})")
    return _elsewhere(recipe, name, source, epochs, asked=bool(encoder))


def _read(name: str) -> dict[str, Any]:
    packaged = {path.stem: path for path in sorted(PACKAGED.glob("*.yaml"))}
    path = packaged.get(name, Path(name))
    if not path.is_file():
        raise ConfigError(f"there is no recipe '{name}'; packaged: {sorted(packaged)}, or give a YAML file")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _find(source: str, catalogue: str) -> Path | None:
    beside = [Path(catalogue) / place for place in BESIDE_DATA] if catalogue and "://" not in catalogue else []
    for folder in (Path(source), *(place / source for place in beside)):
        if (folder / "config.json").is_file():
            return folder.resolve()
    return None


def _elsewhere(recipe: dict[str, Any], name: str, source: str, epochs: int, asked: bool) -> ChosenRecipe:
    """A source that is no folder here: a hub id, or a recipe's own backbone that this machine lacks."""
    if asked or "/" in source:
        encoder = {**recipe["encoder"], "source": source}
        return ChosenRecipe({**recipe, "encoder": encoder}, f"encoder: {source} from the hub ({name})")
    scratch = _read(SCRATCH)
    return ChosenRecipe(
        {**scratch, "epochs": epochs or scratch["epochs"]},
        f"encoder: random weights ({SCRATCH}), because no backbone '{source}' stands beside the data; a pretrained "
        "one learns more: --encoder FOLDER or HUB_ID, with make ENCODER=...",
    )
