"""What is asked about: a catalogue and its load."""

import re
from dataclasses import dataclass

from lookalike.errors import ConfigError

SUFFIXES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}
COUNT = re.compile(r"(\d+(?:\.\d+)?)([KMB]?)", re.IGNORECASE)


@dataclass(frozen=True)
class Shop:
    """One catalogue."""

    products: int
    photos_per_product: float = 1.0
    dimension: int = 192
    """Numbers of a vector."""
    queries_per_second: float = 100.0
    """The load at its peak."""
    embedding_cores: int = 16
    """Cores that a rebuild embeds with, over all machines."""

    @property
    def photos(self) -> float:
        return self.products * self.photos_per_product


def count(text: str) -> int:
    """`10M` as 10,000,000. Raises ConfigError."""
    found = COUNT.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise ConfigError(f"{text!r} is no number of products; accepted: 40578, 250K, 10M, 1B")
    return round(float(found[1]) * SUFFIXES[found[2].upper()])


def named(products: int) -> str:
    """10,000,000 as `10M`, where it is whole."""
    for suffix, size in reversed(SUFFIXES.items()):
        if products >= size and products % size == 0:
            return f"{products // size:,}{suffix}"
    return f"{products:,}"
