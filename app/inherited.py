"""Variables for the processes that are started here."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def inherited(variables: Mapping[str, str]) -> Iterator[None]:
    """Have them in this process's environment, which those it starts inherit, and put it back afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
