"""Options that several verbs share, each explained once."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from lookalike.errors import ConfigError

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="Folder that holds everything made for one shop.")
]
CatalogueOption = Annotated[
    str, typer.Option("--catalogue", "-c", help="Folder, file or URL of the catalogue (parquet or CSV).")
]
MappingOption = Annotated[
    Path | None,
    typer.Option("--mapping", help="Mapping file; without it the one beside the data, or a preset by columns."),
]
LexiconOption = Annotated[
    str,
    typer.Option("--lexicon", help="Lexicon that reads further attributes from titles: fashion, or a YAML file."),
]
LimitOption = Annotated[int, typer.Option("--limit", min=0, help="Read only this many products; 0 for all.")]
RecipeOption = Annotated[
    str, typer.Option("--recipe", help="Training recipe: a packaged name (sample_cpu, fashion_cpu) or a YAML file.")
]
EncoderOption = Annotated[
    str,
    typer.Option("--encoder", help="Backbone that takes the place of the recipe's: a transformers folder or hub id."),
]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="YAML of overrides by stage, such as {split: {seed: 7}}.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="One override, STAGE.FIELD=VALUE; may be given several times.")
]
ServiceSettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings", help="YAML of the service's settings, such as {overload: {threads: 2}}; see docs/api.md."
    ),
]
ServiceSetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="One of them, NAME=VALUE or GROUP.NAME=VALUE; may be given several times."),
]

MilvusOption = Annotated[
    str,
    typer.Option(
        "--milvus",
        help="Milvus URI, or faiss:///folder; without it Milvus Lite inside the workspace.",
        envvar="MILVUS_URI",
    ),
]

SigningKeyOption = Annotated[
    str,
    typer.Option(
        "--signing-key",
        help="Key to sign with, by reference: file:PATH or env:NAME; see `keys signing`.",
        envvar="LOOKALIKE_SIGNING_KEY",
    ),
]
TrustedKeysOption = Annotated[
    str,
    typer.Option(
        "--trusted-keys",
        help="Keys whose releases are accepted, by reference: file:PATH or env:NAME.",
        envvar="LOOKALIKE_TRUSTED_KEYS",
    ),
]

ApiOption = Annotated[
    str,
    typer.Option("--api", help="KFP API server that runs start at; without one, this machine.", envvar="LOOKALIKE_KFP"),
]
TaskApiOption = Annotated[
    str,
    typer.Option("--task-api", help="The same server as the tasks reach it, where that is another address."),
]

ClusterOption = Annotated[
    Path | None,
    typer.Option("--cluster", help="YAML of what tasks need of the cluster; without it pipelines/cluster.yaml."),
]

DEFAULT_WORKSPACE = Path("runs/shop")


def read_settings(file: Path | None, overrides: list[str] | None) -> dict[str, dict[str, Any]]:
    """Stage settings from a file and single overrides, the latter winning. Raises ConfigError."""
    settings: dict[str, dict[str, Any]] = _read_file(file) if file else {}
    if not all(isinstance(part, dict) for part in settings.values()):
        raise ConfigError(f"{file} must map stage names to mappings of settings")
    for override in overrides or []:
        name, separator, value = override.partition("=")
        stage, dot, field = name.partition(".")
        if not (separator and dot and stage and field):
            raise ConfigError(f"--set {override!r} is not of the form STAGE.FIELD=VALUE")
        settings.setdefault(stage, {})[field] = _value(override, value)
    return settings


def read_values(file: Path | None, overrides: list[str] | None) -> dict[str, Any]:
    """Nested values from a file and single overrides NAME=VALUE or GROUP.NAME=VALUE, the latter winning.

    Raises ConfigError.
    """
    return with_overrides(_read_file(file) if file else {}, overrides)


def with_overrides(values: dict[str, Any], overrides: list[str] | None) -> dict[str, Any]:
    """The same values, changed by single overrides as above. Raises ConfigError."""
    for override in overrides or []:
        name, separator, text = override.partition("=")
        *groups, field = name.split(".")
        if not (separator and field and all(groups)):
            raise ConfigError(f"--set {override!r} is not of the form NAME=VALUE or GROUP.NAME=VALUE")
        inner = values
        for group in groups:
            inner = inner.setdefault(group, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"--set {override!r} looks into {group}, which is {inner!r}, no group")
        inner[field] = _value(override, text)
    return values


def _value(override: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override!r}: the value is not YAML") from error


def _read_file(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read settings from {file}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{file} must map names to settings")
    return values
