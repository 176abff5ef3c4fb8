"""Texts that a setting refers to and never holds itself: secrets, and lists that change while a service runs."""

import os
from pathlib import Path

from lookalike.errors import ConfigError

FILE, VARIABLE = "file:", "env:"


def read_reference(reference: str, what: str) -> str:
    """The text that `file:PATH` or `env:NAME` refers to. Raises ConfigError, never repeating what it read."""
    if reference.startswith(FILE):
        return _read(Path(reference.removeprefix(FILE)), what)
    if not reference.startswith(VARIABLE):
        raise ConfigError(f"{what} cannot be given themselves, only by reference: {FILE}PATH or {VARIABLE}NAME")
    name = reference.removeprefix(VARIABLE)
    if name not in os.environ:
        raise ConfigError(f"{what} are looked for in the environment variable {name}, which is not set")
    return os.environ[name]


def _read(file: Path, what: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {what} from {file}") from error
