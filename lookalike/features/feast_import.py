"""Feast without what it drags along."""

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from lookalike.features.history import PRODUCT_ID
from lookalike.features.redis_connection import redis_client

PLAIN = frozenset({"string_val", "double_val", "int64_val", "bool_val"})
_METRICS = ("PROMETHEUS_MULTIPROCESS_DIR", "PROMETHEUS_MULTIPROC_DIR")


def import_feast() -> Any:
    """Import Feast 0.67 so that the rest of the process stays as it was.

    `feast.torch_wrapper` imports torch wherever it is installed: serving would pay seconds and 200 MB for tensors
    nobody asks for, and DuckDB would report leaks when the process ends. A wrapper that imports torch on demand
    takes its place. `feast.metrics` turns every Prometheus metric of the process, and of its children, into files
    of a temporary folder; a client imported before it, and the environment put back, keep them in memory.
    """
    if "feast" in sys.modules:
        return sys.modules["feast"]
    wrapper = ModuleType("feast.torch_wrapper")
    wrapper.__dict__["get_torch"] = lambda: importlib.import_module("torch")
    sys.modules["feast.torch_wrapper"] = wrapper
    importlib.import_module("prometheus_client")
    before = {name: os.environ.get(name) for name in _METRICS}
    try:
        return importlib.import_module("feast")
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


@contextmanager
def importing_stores() -> Iterator[None]:
    """With its first store Feast imports every other one, and one of them hides a parent's field."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message='Field name "vector_enabled" in "MilvusOnlineStoreConfig"')
        yield


class OnlineParts(NamedTuple):
    """What reading and writing an online store takes."""

    store: Any
    """A feast.infra.online_stores.online_store.OnlineStore with connections of its own."""
    key: Any
    """The class of a key."""
    value: Any
    """The class of a value in a key."""
    python: Callable[[Any], Any]
    """From a stored value to Python's."""
    rows: Callable[[Any, Any], list[Any]]
    """From an Arrow batch of a view's table to what the store writes."""


def online_parts(config: Any, seconds: float) -> OnlineParts:
    """The online store that Feast's configuration names; a Redis that takes longer than `seconds` has failed."""
    import_feast()
    with importing_stores():
        from feast import ValueType
        from feast.infra.online_stores.helpers import get_online_store_from_config
        from feast.protos.feast.types.EntityKey_pb2 import EntityKey
        from feast.protos.feast.types.Value_pb2 import Value
        from feast.utils import _convert_arrow_to_proto

        store: Any = get_online_store_from_config(config.online_store)
    if is_redis(config):
        store._client = redis_client(config.online_store.connection_string, seconds)
    return OnlineParts(
        store,
        EntityKey,
        Value,
        _python_value,
        lambda batch, view: _convert_arrow_to_proto(batch, view, {PRODUCT_ID: ValueType.STRING}),
    )


def _python_value(stored: Any) -> Any:
    """Feast's own conversion looks for two dozen kinds of collection before it finds text, four times as long."""
    kind = stored.WhichOneof("val")
    if kind in PLAIN:
        return getattr(stored, kind)
    from feast.type_map import feast_value_type_to_python_type

    return feast_value_type_to_python_type(stored)


def is_redis(config: Any) -> bool:
    """Whether features are served from one Redis; Feast connects to its clusters and sentinels by itself."""
    return config.online_store.type == "redis" and config.online_store.redis_type == "redis"


def keys_expire(config: Any) -> bool:
    """Whether Redis drops what is not written again."""
    return is_redis(config) and bool(config.online_store.key_ttl_seconds)
