"""Settings given on the command line."""

from pathlib import Path

import pytest

from app.options import read_settings, read_values
from lookalike.errors import ConfigError


def test_single_overrides_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("split: {seed: 1, test: 0.3}\n")
    assert read_settings(file, ["split.seed=7", "drift.alpha=0.01"]) == {
        "split": {"seed": 7, "test": 0.3},
        "drift": {"alpha": 0.01},
    }


@pytest.mark.parametrize("override", ["split.seed", "seed=7", ".seed=7", "split.=7", ""])
def test_a_malformed_override_is_refused_with_the_form_it_should_have(override: str) -> None:
    with pytest.raises(ConfigError, match=r"STAGE\.FIELD=VALUE"):
        read_settings(None, [override])


@pytest.mark.parametrize("text", ["{a: 1", "[1", "'half", "a: b: c", "@"])
def test_an_override_whose_value_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--set .*mine\.weights=.*: the value is not YAML"):
        read_settings(None, [f"mine.weights={text}"])


@pytest.mark.parametrize("text", ["[1, 2]", "split: 3", "split: {", ""])
def test_a_settings_file_that_is_no_mapping_of_mappings_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    if text == "":
        assert read_settings(file, None) == {}
    else:
        with pytest.raises(ConfigError, match=r"settings\.yaml"):
            read_settings(file, None)


def test_values_are_nested_as_deep_as_they_are_named(tmp_path: Path) -> None:
    file = tmp_path / "service.yaml"
    file.write_text("{host: 0.0.0.0, overload: {threads: 2}}\n")
    overrides = ["overload.answer_seconds=0.5", "limits.image.side=32", "log_format=json", "triton_url=null"]
    assert read_values(file, overrides) == {
        "host": "0.0.0.0",
        "overload": {"threads": 2, "answer_seconds": 0.5},
        "limits": {"image": {"side": 32}},
        "log_format": "json",
        "triton_url": None,
    }


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("port", "NAME=VALUE or"),
        ("=1", "NAME=VALUE or"),
        ("a..b=1", "NAME=VALUE or"),
        ("host.name=x", "host, which is '::1'"),
        ("host={", "is not YAML"),
    ],
)
def test_a_value_that_cannot_be_set_is_refused(tmp_path: Path, override: str, sentence: str) -> None:
    (tmp_path / "service.yaml").write_text("host: '::1'\n")
    with pytest.raises(ConfigError, match=sentence):
        read_values(tmp_path / "service.yaml", [override])
