"""Ways to read some products' features from the same Redis, from the floor up."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.features.shop import RELEASE
from lookalike.features.feast import FeastLookup, open_store
from lookalike.features.history import release_tables
from lookalike.features.redis_layout import entity_key, release_fields
from lookalike.release.manifest import feature_service_name
from lookalike.search.punctual import PunctualFeatures

Read = Callable[[Sequence[str]], Any]

RAW, OURS, SERVED, FEAST = "raw pipeline", "our reader", "our reader as a search asks it", "get_online_features"


def readers(feature_store: Path, client: Redis) -> dict[str, Read]:
    """By name; all of them answer before this returns."""
    service = feature_service_name(RELEASE)
    lookup, store = FeastLookup(feature_store, service), open_store(feature_store)
    punctual = PunctualFeatures(lookup, deadline_seconds=1.0)
    applied = store.get_feature_service(service)
    return {
        RAW: _raw(feature_store, store.config, client),
        OURS: lambda ids: lookup.lookup(ids, 1.0),
        SERVED: punctual.features,
        FEAST: lambda ids: store.get_online_features(applied, [{"product_id": one} for one in ids]).to_dict(),
    }


def _raw(feature_store: Path, config: Any, client: Redis) -> Read:
    """The floor: the same commands in one round trip, keys and fields known beforehand, answers left as bytes."""
    [table] = release_tables(feature_store)
    fields = [*release_fields(table), f"_ts:{table.stem}".encode()]
    head, _, tail = entity_key(config, "").rpartition(b"\x00\x00\x00\x00")
    project = config.project.encode()

    def read(ids: Sequence[str]) -> Any:
        with client.pipeline(transaction=False) as pipe:
            for one in ids:
                name = one.encode()
                pipe.hmget(head + len(name).to_bytes(4, "little") + tail + name + project, fields)
            return pipe.execute()

    return read


def agree(read: dict[str, Read], ids: Sequence[str]) -> bool:
    """Whether every reader finds the same values of the same products."""
    ours, columns = read[OURS](ids), read[FEAST](ids)
    names = [name for name in columns if name != "product_id"]
    theirs = {
        product: {name: columns[name][row] for name in names if columns[name][row] is not None}
        for row, product in enumerate(columns["product_id"])
    }
    counts = [sum(value is not None for value in row[:-1]) for row in read[RAW](ids)]
    return ours == theirs == read[SERVED](ids) and all(counts)
