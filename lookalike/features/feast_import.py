"""Feast without what it drags along."""

import importlib
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

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


class OnlineParts(NamedTuple):
    """What reading an online store takes."""

    store: Any
    """A feast.infra.online_stores.online_store.OnlineStore with connections of its own."""
    key: Any
    """The class of a key."""
    value: Any
    """The class of a value in a key."""
    python: Callable[[Any], Any]
    """From a stored value to Python's."""


def online_parts(config: Any) -> OnlineParts:
    """The online store that Feast's configuration names."""
    import_feast()
    from feast.infra.online_stores.helpers import get_online_store_from_config
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value
    from feast.type_map import feast_value_type_to_python_type

    return OnlineParts(
        get_online_store_from_config(config.online_store), EntityKey, Value, feast_value_type_to_python_type
    )
