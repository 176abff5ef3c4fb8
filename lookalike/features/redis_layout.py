"""Where Feast keeps a product in Redis: one hash per product, with a few fields of every release.

See https://github.com/feast-dev/feast/blob/master/docs/specs/online_store_format.md. Feast 0.67 removes a view by
scanning every key of the server and holding them all in memory; the tables beside it say which keys there are.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from lookalike.errors import ReleaseError
from lookalike.features.feast_import import import_feast
from lookalike.features.history import PRODUCT_ID, TIMESTAMP, release_tables

PIPELINE = 1000
"""Products whose fields are removed in one round trip."""


def release_fields(table: Path) -> list[bytes]:
    """The fields of one release in every product's hash: Feast's 32-bit hashes of its features' names."""
    import_feast()
    from feast.infra.online_stores.helpers import _mmh3

    names = [name for name in pq.read_schema(table).names if name not in (PRODUCT_ID, TIMESTAMP)]
    return [_mmh3(f"{table.stem}:{name}") for name in names]


def require_apart(feature_store: Path) -> None:
    """Raise ReleaseError where two features, of one release or of two, would overwrite one another."""
    tables = release_tables(feature_store)
    counted = Counter(field for table in tables for field in release_fields(table))
    if counted.total() != len(counted):
        raise ReleaseError(
            f"two features of the releases {[table.stem for table in tables]} share a field in Redis; "
            "prune old releases or rename a feature"
        )


def remove_fields(client: Any, config: Any, tables: Sequence[Path], product_ids: Sequence[str]) -> int:
    """Take some releases' values of these products out of Redis, which drops a hash with its last field.

    Returns how many values went.
    """
    values = [field for table in tables for field in release_fields(table)]
    stamps = [f"_ts:{table.stem}".encode() for table in tables]
    removed = 0
    for start in range(0, len(product_ids), PIPELINE):
        with client.pipeline(transaction=False) as pipe:
            for product in product_ids[start : start + PIPELINE]:
                key = entity_key(config, product) + config.project.encode()
                pipe.hdel(key, *values)
                pipe.hdel(key, *stamps)
            removed += sum(pipe.execute()[::2])
    return removed


def entity_key(config: Any, product_id: str) -> bytes:
    """Feast's serialised key of a product, the same in every online store."""
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    key = EntityKey(join_keys=[PRODUCT_ID], entity_values=[Value(string_val=product_id)])
    return bytes(serialize_entity_key(key, config.entity_key_serialization_version))
