"""One progress bar for every long loop, silent where nobody watches."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Yield the items with a bar on standard error; in a log file one line every ten seconds is enough."""
    patience = 0.2 if sys.stderr.isatty() else 10.0
    yield from tqdm(items, desc=label, total=total, mininterval=patience, delay=patience, leave=False)
