"""Feast without what it drags along."""

import importlib
import os
import sys
from types import ModuleType
from typing import Any

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
