"""Triplets over one attribute at a time: the scheme that multi-attribute mining is measured against.

After Ak et al., "Efficient multi-attribute similarity learning towards attribute-based fashion search"
(WACV 2018): the positive shares the anchor's value of an attribute, the negative has another.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lookalike.errors import MiningError
from lookalike.mining.buckets import Anchors
from lookalike.mining.labels import Labels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets, draw_triplets

LEVELS = 2
"""Level 1 shares the value drawn, level 0 has another; unknown is at neither."""


def mine_by_attribute(products: Labels, duplicates: NDArray[np.int64], settings: MiningSettings) -> Triplets:
    """Draw triplets among N products, for each one attribute by its weight among those that order the anchor's others.

    A rare value is drawn more often where `weighting` says so. Verticals play no part. Raises MiningError when no
    triplet can be drawn.
    """
    rng = np.random.default_rng(settings.seed)
    buckets = ValueBuckets(products.codes)
    asked = buckets.anchors(products.weights, settings.triplets_per_anchor, rng)
    if not len(asked):
        raise MiningError(
            f"no triplets can be drawn from {len(products)} products: no attribute has a value that two products "
            "share and a third has not"
        )
    flat = settings.model_copy(update={"positive_weights": {}, "negative_weights": {}})  # two levels, one pair
    return draw_triplets(asked, buckets, duplicates, rng, flat, per_anchor=1)


class ValueBuckets:
    """For every attribute, the products that share an anchor's value (level 1) and that have another (level 0).

    An anchor's `row` is the attribute; the products where it is known are kept sorted by value, so that those of
    one value are a run of them and those of another are the rest.
    """

    def __init__(self, codes: NDArray[np.int32]) -> None:
        count, attributes = codes.shape
        self._sorted: list[NDArray[np.int64]] = []
        self._rank = np.zeros((count, attributes), np.int64)  # a product's place among those with the value known
        self._start, self._same, self._known = np.zeros((3, count, attributes), np.int64)
        for attribute in range(attributes):
            values = codes[:, attribute]
            order = np.argsort(values, kind="stable")
            order = order[np.searchsorted(values[order], 0) :]  # without those unknown, -1
            self._sorted.append(order)
            self._rank[order, attribute] = np.arange(len(order))
            _, inverse, counts = np.unique(values[order], return_inverse=True, return_counts=True)
            self._start[order, attribute] = (np.cumsum(counts) - counts)[inverse]
            self._same[order, attribute] = counts[inverse]
            self._known[order, attribute] = len(order)

    def anchors(self, weights: NDArray[np.float32], per_anchor: int, rng: Generator) -> Anchors:
        """`per_anchor` times every product with an attribute drawn by `weights` (N, A), where one has both levels."""
        usable = (self._same > 1) & (self._known > self._same)
        running = np.cumsum(np.where(usable, weights, 0), axis=1, dtype=np.float64)  # (N, A)
        product = np.repeat(np.flatnonzero(running[:, -1] > 0), per_anchor)
        wanted = rng.random(len(product)) * running[product, -1]
        attribute = (wanted[:, None] >= running[product]).sum(axis=1)
        return Anchors(product, attribute, self._rank[product, attribute])

    def sizes(self, anchors: Anchors) -> NDArray[np.int64]:
        same, known = (array[anchors.product, anchors.row] for array in (self._same, self._known))
        return np.stack([known - same, same - 1], axis=1)  # (M, 2)

    def draw(self, anchors: Anchors, level: NDArray[np.int8], rng: Generator) -> NDArray[np.int64]:
        start, same = (array[anchors.product, anchors.row] for array in (self._start, self._same))
        place = rng.integers(0, self.sizes(anchors)[np.arange(len(anchors)), level])
        sharing = level == 1
        place = np.where(sharing, start + place, place)
        place += np.where(sharing, place >= anchors.rank, (place >= start) * same)  # step over the anchor, or its run
        drawn = np.empty(len(anchors), np.int64)
        for attribute in np.unique(anchors.row):
            at = anchors.row == attribute
            drawn[at] = self._sorted[attribute][place[at]]
        return drawn
