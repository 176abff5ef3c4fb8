"""A shop's feature store as a Feast repository of its own, with the online store that was chosen."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import yaml

from lookalike.errors import ConfigError
from lookalike.features.feast import open_store
from lookalike.features.history import SOURCES
from lookalike.features.settings import FeatureSettings
from lookalike.storage import atomic_file

STORE_FILE = "feature_store.yaml"


def prepare_store(feature_store: Path, definitions: Path | None, settings: FeatureSettings) -> None:
    """Make the folder a Feast repository, copied from `definitions` where it is none yet.

    Its feature_store.yaml is the one place that says where features are: an online store that was chosen is written
    there, and everybody else reads it. Raises ConfigError where there is nothing to copy.
    """
    (feature_store / SOURCES).mkdir(parents=True, exist_ok=True)
    if not (feature_store / STORE_FILE).is_file():
        if definitions is None or not (definitions / STORE_FILE).is_file():
            raise ConfigError(f"{feature_store} has no {STORE_FILE} and {definitions} has none to copy")
        for path in [*definitions.glob("*.py"), definitions / STORE_FILE]:
            shutil.copyfile(path, feature_store / path.name)
    _choose(feature_store / STORE_FILE, settings)
    online = open_store(feature_store).config.online_store
    if online.type == "sqlite":
        # Write-ahead logging, kept in the file: readers of the old release are not locked out while the new fills.
        with contextlib.closing(sqlite3.connect(feature_store / online.path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


def _choose(file: Path, settings: FeatureSettings) -> None:
    if settings.online_store is None:
        return
    written: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    wanted: dict[str, Any] = {"type": "sqlite", "path": "online.db"}
    if settings.online_store == "redis":
        wanted = {"type": "redis", "connection_string": settings.connection}
        if settings.key_ttl_seconds is not None:
            wanted |= {"key_ttl_seconds": settings.key_ttl_seconds}
    if written["online_store"] != wanted:
        with atomic_file(file) as aside:
            aside.write_text(yaml.safe_dump({**written, "online_store": wanted}, sort_keys=False), encoding="utf-8")
