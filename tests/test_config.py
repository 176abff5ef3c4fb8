"""Configurations are strict, frozen, and say what is wrong."""

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from lookalike.config import StrictConfig, load_config, parse_config
from lookalike.errors import ConfigError


class Shelf(StrictConfig):
    """A configuration for these tests."""

    boards: int = Field(default=3, ge=1)
    """How many boards."""
    height: float = 1.5
    """Metres."""


def test_defaults_and_values_are_read(tmp_path: Path):
    (tmp_path / "shelf.yaml").write_text("boards: 5\n")
    assert load_config(Shelf, tmp_path / "shelf.yaml") == Shelf(boards=5, height=1.5)


def test_json_is_yaml_enough(tmp_path: Path):
    (tmp_path / "shelf.json").write_text(Shelf(boards=2).model_dump_json())
    assert load_config(Shelf, tmp_path / "shelf.json") == Shelf(boards=2)


def test_an_unknown_setting_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"recipe: unknown setting 'bords'; accepted: boards, height"):
        parse_config(Shelf, {"bords": 3}, "recipe")


def test_a_wrong_value_is_named_with_what_is_accepted():
    with pytest.raises(ConfigError, match=r"boards is 0: Input should be greater than or equal to 1"):
        parse_config(Shelf, {"boards": 0}, "recipe")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_no_numbers_are_refused(value: float):
    with pytest.raises(ConfigError, match="height"):
        parse_config(Shelf, {"height": value}, "recipe")


def test_a_list_is_no_configuration():
    with pytest.raises(ConfigError, match="must hold a mapping of settings, not list"):
        parse_config(Shelf, [1], "recipe")


def test_unreadable_and_broken_files_are_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere\.yaml"):
        load_config(Shelf, tmp_path / "nowhere.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml is not valid YAML"):
        load_config(Shelf, tmp_path / "broken.yaml")


def test_a_configuration_never_changes():
    with pytest.raises(ValidationError, match="frozen"):
        Shelf().boards = 7


def test_field_docstrings_become_descriptions():
    assert Shelf.model_json_schema()["properties"]["height"]["description"] == "Metres."
