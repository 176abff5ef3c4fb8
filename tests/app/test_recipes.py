"""Recipes and where their encoders come from."""

from pathlib import Path

import pytest

from app.recipes import PACKAGED, resolve_recipe
from lookalike.config import parse_config
from lookalike.errors import ConfigError
from lookalike.training.recipe import Recipe


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_packaged_recipe_is_valid_and_says_what_it_costs(path: Path) -> None:
    import yaml

    text = path.read_text()
    parse_config(Recipe, yaml.safe_load(text), path.name)
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("minutes" in line or "seconds" in line for line in head), "say the cost on top"


def backbone(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_a_backbone_is_found_beside_the_data(tmp_path: Path) -> None:
    folder = backbone(tmp_path / "weights" / "mobilenet_v1_0.5_160")
    (tmp_path / "data" / "shop").mkdir(parents=True)
    chosen = resolve_recipe("fashion_cpu", catalogue=str(tmp_path / "data" / "shop"))
    assert chosen.settings["encoder"]["source"] == str(folder)


def test_an_encoder_that_was_asked_for_wins(tmp_path: Path) -> None:
    folder = backbone(tmp_path / "mine")
    assert resolve_recipe("fashion_cpu", str(folder)).settings["encoder"]["source"] == str(folder)


def test_a_hub_id_is_passed_on(tmp_path: Path) -> None:
    chosen = resolve_recipe("fashion_cpu", "google/mobilenet_v1_0.75_192")
    assert chosen.settings["encoder"]["source"] == "google/mobilenet_v1_0.75_192"
    assert "hub" in chosen.sentence


def test_without_its_backbone_a_packaged_recipe_starts_from_random_weights_and_says_so(tmp_path: Path) -> None:
    chosen = resolve_recipe("fashion_cpu", catalogue=str(tmp_path))
    assert "source" not in chosen.settings["encoder"]
    assert chosen.settings["encoder"]["batch_norm"] == "train"
    assert "random weights" in chosen.sentence
    assert "--encoder" in chosen.sentence


def test_epochs_that_were_asked_for_win_even_without_a_backbone(tmp_path: Path) -> None:
    assert resolve_recipe("fashion_cpu", epochs=3, catalogue=str(tmp_path)).settings["epochs"] == 3


def test_an_unknown_recipe_lists_the_packaged_ones() -> None:
    with pytest.raises(ConfigError, match="fashion_cpu"):
        resolve_recipe("huge_gpu")
