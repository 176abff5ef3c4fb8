"""Every recipe parses, and says on top what it costs and scores."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from lookalike.config import load_config
from lookalike.errors import ConfigError
from lookalike.training.recipe import Recipe
from tests.training.conftest import tiny_recipe

RECIPES = sorted((Path(__file__).parents[2] / "pipelines" / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_parses_and_states_its_cost_and_score(path: Path) -> None:
    load_config(Recipe, path)
    top = "".join(line for line in path.read_text().splitlines(keepends=True)[:12] if line.startswith("#"))
    assert "Cost" in top
    assert "Score" in top


def test_there_are_recipes() -> None:
    assert {"fashion_cpu", "sample_cpu"} <= {path.stem for path in RECIPES}


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("epochs: 1\nencoder: {source: a}\nepoch: 2\n")
    with pytest.raises(ConfigError, match="unknown setting 'epoch'; accepted: anchors_per_epoch"):
        load_config(Recipe, path)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"damage": "rain"}, "unknown damage profile 'rain'"),
        ({"tasks": {"attributes": 0, "triplets": 0, "contrast": 0, "reconstruction": 0}}, "nothing to learn"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"precision": "8"}, "32-true"),
    ],
)
def test_contradictory_settings_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        tiny_recipe(**settings)
