"""From a recipe's name to the settings a run is started with."""

from pathlib import Path
from typing import Any

import yaml

from lookalike.errors import ConfigError

PACKAGED = Path(__file__).parents[1] / "pipelines" / "recipes"


def resolve_recipe(name: str, encoder: str = "", epochs: int = 0) -> dict[str, Any]:
    """Read a packaged recipe or a YAML file, with another encoder or number of epochs where given.

    Raises ConfigError listing the packaged names.
    """
    packaged = {path.stem: path for path in sorted(PACKAGED.glob("*.yaml"))}
    path = packaged.get(name, Path(name))
    if not path.is_file():
        raise ConfigError(f"there is no recipe '{name}'; packaged: {sorted(packaged)}, or give a YAML file")
    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    if encoder:
        recipe["encoder"] = {**recipe["encoder"], "source": encoder}
    if epochs:
        recipe["epochs"] = epochs
    return dict(recipe)
