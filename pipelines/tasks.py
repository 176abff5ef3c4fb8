"""Every task says how a person reads it and whether an earlier run may stand in for it."""

from typing import Any


def cached(task: Any, title: str) -> Any:
    """A task that is what its inputs make of it: taken from the cache where the same ones were seen before."""
    return task.set_display_name(title).set_caching_options(True)


def always(task: Any, title: str) -> Any:
    """A task that looks at the world outside its inputs, or changes it: run every time."""
    return task.set_display_name(title).set_caching_options(False)
