"""Take products out of the online store: their rows are gone from its files, not only from its answers."""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lookalike.errors import BackendUnavailable, ConfigError
from lookalike.features.feast import open_store
from lookalike.features.feast_import import is_redis, online_parts
from lookalike.features.filling import WRITE_SECONDS
from lookalike.features.history import PRODUCT_ID, SOURCES
from lookalike.features.redis_layout import PIPELINE, entity_key, remove_fields

IN_REDIS = (
    "what Redis saved: its snapshot and its append-only file hold the features until they are written anew "
    "(redis-cli BGREWRITEAOF, BGSAVE), and so do its replicas' and backups"
)


def forget_online(feature_store: Path, services: Sequence[str], product_ids: Sequence[str]) -> int:
    """Remove products from some releases' online features; returns how many values went.

    Feast 0.67 has no way to delete by key, so this knows the table SQLite keeps and the hashes Redis keeps. Raises
    ConfigError for another online store, where products go when their release is pruned, and BackendUnavailable.
    """
    store = open_store(feature_store)
    online = store.config.online_store
    if online.type == "sqlite":
        return _forget_in_sqlite(store, services, product_ids)
    if not is_redis(store.config):
        raise ConfigError(
            f"products cannot be removed from an online store of type '{online.type}', only from sqlite and redis; "
            "release anew without them and prune"
        )
    tables = [feature_store / SOURCES / f"{service}.parquet" for service in services]
    try:
        return remove_fields(_redis(store), store.config, tables, product_ids)
    except Exception as error:  # redis-py's own exceptions
        raise BackendUnavailable(f"the feature store {feature_store} does not answer: {error}") from error


def forget_release(store: Any, table: Path) -> int:
    """Remove one release's values of every product from Redis; returns how many went.

    The release's table names the products, so no key is looked for and a part of them is in memory at a time.
    """
    client, removed = _redis(store), 0
    with pq.ParquetFile(table) as file:
        for part in file.iter_batches(batch_size=PIPELINE, columns=[PRODUCT_ID]):
            removed += remove_fields(client, store.config, [table], part.column(PRODUCT_ID).unique().to_pylist())
    return removed


def remains_online(feature_store: Path) -> str:
    """A sentence on what stays behind where products were removed; empty where nothing does."""
    return IN_REDIS if is_redis(open_store(feature_store).config) else ""


def _redis(store: Any) -> Any:
    return online_parts(store.config, WRITE_SECONDS).store._client


def _forget_in_sqlite(store: Any, services: Sequence[str], product_ids: Sequence[str]) -> int:
    keys = [(entity_key(store.config, product),) for product in product_ids]
    removed = 0
    file = Path(store.repo_path) / store.config.online_store.path
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout = 30000")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in (f"{store.project}_{service}" for service in services):
            if table in tables:
                removed += connection.executemany(f'DELETE FROM "{table}" WHERE entity_key = ?', keys).rowcount
        connection.execute("VACUUM")  # deleted rows, and copies of rows that splitting pages left, stay in the file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log holds the values as they were written
    return removed
