"""Drawing (anchor, positive, negative) across levels, vectorised over all anchors of a chunk."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lookalike.mining.buckets import Anchors, Buckets
from lookalike.mining.settings import MiningSettings

ATTEMPTS = 8
"""Draws per triplet before one that keeps hitting near-duplicates is given up."""


@dataclass(frozen=True)
class Triplets:
    """T triplets: positions of products, and the levels of positive and negative towards the anchor."""

    anchor: NDArray[np.int64]
    positive: NDArray[np.int64]
    negative: NDArray[np.int64]
    positive_level: NDArray[np.int8]
    negative_level: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.anchor)

    def take(self, which: NDArray | slice) -> "Triplets":
        """The triplets at these positions or under this mask."""
        return Triplets(*(getattr(self, field.name)[which] for field in fields(self)))


@dataclass(frozen=True)
class MinedTriplets:
    """What mining found among N products."""

    triplets: Triplets
    pairs_per_level: NDArray[np.int64]
    """(L + 1,) ordered pairs of products per level; the last are pairs with nothing known in both."""
    exact: bool = True
    """Whether the pairs are counted rather than estimated."""


def join_triplets(parts: list[Triplets]) -> Triplets:
    """All triplets, ordered by anchor."""
    joined = Triplets(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Triplets)))
    return joined.take(np.argsort(joined.anchor, kind="stable"))


def draw_triplets(
    anchors: Anchors,
    buckets: Buckets,
    duplicates: NDArray[np.int64],
    rng: Generator,
    settings: MiningSettings,
    per_anchor: int,
) -> Triplets:
    """Up to `per_anchor` triplets for each of M anchors; anchors with candidates at one level only get none.

    `duplicates` (N,) holds a product's near-duplicate group or -1: nobody of the anchor's group is drawn,
    for a copy is too easy a positive and a wrong negative.
    """
    levels = _draw_level_pairs(buckets.sizes(anchors) > 0, rng, per_anchor, settings)  # (M, per_anchor, 2)
    drawn = levels[..., 0].ravel() > 0  # the positive's level; 0 where no pair was possible
    asked = anchors.take(np.repeat(np.arange(len(anchors)), per_anchor)[drawn])
    above, below = levels.reshape(-1, 2)[drawn].T
    positive, positive_ok = _draw_others(asked, above, buckets, duplicates, rng)
    negative, negative_ok = _draw_others(asked, below, buckets, duplicates, rng)
    return Triplets(asked.product, positive, negative, above, below).take(positive_ok & negative_ok)


def _draw_level_pairs(
    filled: NDArray[np.bool_], rng: Generator, count: int, settings: MiningSettings
) -> NDArray[np.int8]:
    """(M, count, 2) levels (positive, negative) among those `filled` (M, L); zeros where no two levels are."""
    pairs = np.array([(high, low) for high in range(filled.shape[1]) for low in range(high)], np.int8)  # (P, 2)
    weights = np.array([_pair_weight(high, low, settings) for high, low in pairs.tolist()])
    running = np.cumsum((filled[:, pairs[:, 0]] & filled[:, pairs[:, 1]]) * weights, axis=1)  # (M, P)
    wanted = rng.random((len(filled), count)) * running[:, -1:]  # (M, count)
    chosen = (wanted[:, :, None] >= running[:, None, :]).sum(axis=2)  # (M, count); P where nothing is possible
    return np.vstack([pairs, np.zeros((1, 2), np.int8)])[chosen]


def _pair_weight(high: int, low: int, settings: MiningSettings) -> float:
    favour = settings.positive_weights.get(high, 1) * settings.negative_weights.get(low, 1)
    return favour * settings.gap_decay ** (high - low - 1.0)


def _draw_others(
    anchors: Anchors,
    level: NDArray[np.int8],
    buckets: Buckets,
    duplicates: NDArray[np.int64],
    rng: Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """A product per anchor and whether it is none of the anchor's near-duplicates."""
    drawn = buckets.draw(anchors, level, rng)
    for _ in range(ATTEMPTS):
        again = np.flatnonzero(near_duplicates(duplicates, anchors.product, drawn))
        if not len(again):
            break
        drawn[again] = buckets.draw(anchors.take(again), level[again], rng)
    return drawn, ~near_duplicates(duplicates, anchors.product, drawn)


def near_duplicates(duplicates: NDArray[np.int64], ours: NDArray, theirs: NDArray) -> NDArray[np.bool_]:
    """Whether products, broadcast against one another, are of one near-duplicate group; -1 is none."""
    group = duplicates[ours]
    return (group >= 0) & (group == duplicates[theirs])
