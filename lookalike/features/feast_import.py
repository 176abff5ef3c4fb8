"""Feast without what it drags along."""

import importlib
import sys
from types import ModuleType
from typing import Any


def import_feast() -> Any:
    """Import Feast without torch.

    `feast.torch_wrapper` imports torch wherever it is installed: serving would pay seconds and 200 MB for tensors
    nobody asks for, and DuckDB would report leaks when the process ends. A wrapper that imports torch on demand
    takes its place.
    """
    if "feast" not in sys.modules:
        wrapper = ModuleType("feast.torch_wrapper")
        wrapper.__dict__["get_torch"] = lambda: importlib.import_module("torch")
        sys.modules["feast.torch_wrapper"] = wrapper
    return importlib.import_module("feast")
