"""Take products out of the online store: their rows are gone from its files, not only from its answers."""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lookalike.errors import ConfigError
from lookalike.features.feast import open_store
from lookalike.features.history import PRODUCT_ID


def forget_online(feature_store: Path, services: Sequence[str], product_ids: Sequence[str]) -> int:
    """Remove products from some releases' online features; returns how many values went.

    Feast 0.67 has no way to delete by key, so this knows the table SQLite keeps. Raises ConfigError for another
    online store, where products go when their release is pruned.
    """
    store = open_store(feature_store)
    online = store.config.online_store
    if online.type != "sqlite":
        raise ConfigError(
            f"products cannot be removed from an online store of type '{online.type}', only from sqlite; "
            "release anew without them and prune"
        )
    keys = [(_entity_key(store, product),) for product in product_ids]
    removed = 0
    with contextlib.closing(sqlite3.connect(feature_store / online.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute("PRAGMA secure_delete = ON")  # freed pages are overwritten with zeros
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in (f"{store.project}_{service}" for service in services):
            if table in tables:
                removed += connection.executemany(f'DELETE FROM "{table}" WHERE entity_key = ?', keys).rowcount
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log holds the values as they were written
    return removed


def _entity_key(store: Any, product_id: str) -> bytes:
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    key = EntityKey(join_keys=[PRODUCT_ID], entity_values=[Value(string_val=product_id)])
    return bytes(serialize_entity_key(key, store.config.entity_key_serialization_version))
