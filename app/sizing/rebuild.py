"""How long it takes to make everything anew: embedding, storing with its structure, features."""

import math
from dataclasses import dataclass

from app.sizing.constants import Constants
from app.sizing.index_size import chosen_index
from app.sizing.shop import Shop

HOUR = 3600


@dataclass(frozen=True)
class Rebuild:
    """Hours of one rebuild."""

    core_hours: float
    """Embedding, on one core."""
    embedding: float
    """Embedding, on the cores that there are."""
    storing: float
    """Storing and building the structure; for Milvus the import alone."""
    features: float
    """Filling the online store."""

    @property
    def hours(self) -> float:
        """From the first photo to the last product: one after the other."""
        return self.embedding + self.storing + self.features


def rebuild(shop: Shop, given: Constants) -> Rebuild:
    """Of a catalogue that is validated and a model that is exported."""
    core_hours = shop.photos / given.embedded_per_second / HOUR
    return Rebuild(
        core_hours,
        core_hours / shop.embedding_cores,
        _storing_seconds(shop, given) / HOUR,
        shop.products / given.filled_per_second / HOUR,
    )


def _storing_seconds(shop: Shop, given: Constants) -> float:
    """Storing grows with N, putting into a graph with N · log N: all of it is reckoned with the latter."""
    if chosen_index(shop, given) is None:
        return shop.photos / given.imported_per_second
    growth = max(1.0, math.log(shop.photos) / math.log(given.stored_photos))
    return shop.photos / given.stored_per_second * growth
