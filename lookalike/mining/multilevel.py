"""Multi-attribute mining over a whole catalogue, in chunks of bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MiningError
from lookalike.mining.buckets import CandidateBuckets, anchors_of
from lookalike.mining.levels import Signatures, group_signatures, pair_levels, pairs_per_level
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets, draw_triplets, join_triplets
from lookalike.progress import progress

CELLS_PER_CHUNK = 1_000_000
"""Pairs of signatures held in memory at once; about 100 MB with everything derived from them."""


@dataclass(frozen=True)
class MinedTriplets:
    """What mining found among N products."""

    triplets: Triplets
    pairs_per_level: NDArray[np.int64]
    """(L + 1,) ordered pairs of products per level; the last are pairs with nothing known in both."""


def mine_triplets(
    verticals: NDArray[np.int32],
    codes: NDArray[np.int32],
    weights: NDArray[np.float32],
    duplicates: NDArray[np.int64],
    settings: MiningSettings,
) -> MinedTriplets:
    """Draw triplets among N products given by vertical (N,), attribute codes (N, A) and duplicate group (N,).

    -1 stands for unknown or none everywhere. Raises MiningError when no triplet can be drawn.
    """
    if not (codes >= 0).any():
        raise MiningError(f"no triplets can be drawn: all attributes of all {len(codes)} products are unknown")
    signatures, rng = group_signatures(verticals, codes), np.random.default_rng(settings.seed)
    if len(signatures.counts) == 1:
        raise MiningError(
            f"no triplets can be drawn: all {len(codes)} products have the same vertical and attributes, "
            "so no product is less alike than another"
        )
    level_count = len(settings.boundaries) + 1
    parts, pairs = [], np.zeros(level_count + 1, np.int64)
    for rows in progress(list(_chunks(signatures)), "mine"):
        levels = pair_levels(signatures, rows, weights, settings.boundaries)
        pairs += pairs_per_level(signatures, rows, levels, level_count)
        parts.append(
            draw_triplets(
                anchors_of(signatures, rows),
                CandidateBuckets(signatures, rows, levels, level_count),
                duplicates,
                rng,
                per_anchor=settings.triplets_per_anchor,
                gap_decay=settings.gap_decay,
            )
        )
    triplets = join_triplets(parts)
    if not len(triplets):
        raise MiningError(
            f"no triplets can be drawn from {len(codes)} products: no product has candidates at two levels "
            f"(pairs per level 0 to {level_count - 1}: {pairs[:-1].tolist()}); see boundaries {settings.boundaries}"
        )
    return MinedTriplets(triplets, pairs)


def _chunks(signatures: Signatures) -> Iterator[slice]:
    count = len(signatures.counts)
    step = max(1, CELLS_PER_CHUNK // count)
    return (slice(first, min(first + step, count)) for first in range(0, count, step))
