"""Evidently, loaded when it is needed: the import takes seconds and warns about numpy's old names."""

import importlib
import os
import warnings
from types import ModuleType


def evidently_module(name: str) -> ModuleType:
    """A module of Evidently, with its usage statistics switched off."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with warnings.catch_warnings():
        # evidently 0.7.23 uses numpy.core and names that litestar 2.23 deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module(name)
