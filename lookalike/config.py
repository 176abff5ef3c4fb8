"""Strict, frozen configurations: unknown keys are errors, every field says what it is for."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from lookalike.errors import ConfigError

Config = TypeVar("Config", bound="StrictConfig")


class StrictConfig(BaseModel):
    """Base of every configuration; a field's docstring becomes its description in schemas and help."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False, protected_namespaces=()
    )


def parse_config(kind: type[Config], values: Any, source: str) -> Config:
    """Build a configuration from parsed YAML or JSON.

    Raises ConfigError naming the source, the field, the value and what is accepted.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"{source} must hold a mapping of settings, not {type(values).__name__}")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_explain(kind, error)}") from error


def load_config(kind: type[Config], path: Path) -> Config:
    """Read a YAML (or JSON, its subset) file into a configuration. Raises ConfigError."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    return parse_config(kind, values, str(path))


def _explain(kind: type[StrictConfig], error: ValidationError) -> str:
    sentences = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"]) or "(whole)"
        if problem["type"] == "extra_forbidden":
            sentences.append(f"unknown setting '{field}'; accepted: {', '.join(sorted(kind.model_fields))}")
        else:
            sentences.append(f"{field} is {problem['input']!r}: {problem['msg']}")
    return "; ".join(sentences)
