"""Multi-attribute mining over a whole catalogue, in chunks of bounded memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MiningError
from lookalike.mining.buckets import CandidateBuckets, anchors_of
from lookalike.mining.labels import Labels
from lookalike.mining.levels import Signatures, group_signatures, pair_levels, pairs_per_level
from lookalike.mining.sampling import sample_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import MinedTriplets, draw_triplets, join_triplets
from lookalike.progress import progress

CELLS_PER_CHUNK = 1_000_000
"""Pairs of signatures held in memory at once; about 100 MB with everything derived from them."""


def mine_by_levels(
    products: Labels, duplicates: NDArray[np.int64], settings: MiningSettings, workers: int = 1
) -> MinedTriplets:
    """Draw triplets among N products, `duplicates` (N,) holding their near-duplicate group or -1.

    Raises MiningError when no triplet can be drawn.
    """
    if not (products.codes >= 0).any():
        raise MiningError(f"no triplets can be drawn: all attributes of all {len(products)} products are unknown")
    signatures = group_signatures(products)
    listed = len(signatures) ** 2 <= settings.enumerate_up_to
    if len(signatures) == 1:
        raise MiningError(
            f"no triplets can be drawn: all {len(products)} products have the same vertical and attributes, "
            "so no product is less alike than another"
        )
    mined = (
        enumerate_levels(signatures, duplicates, settings)
        if listed
        else sample_levels(products, duplicates, settings, workers)
    )
    if not len(mined.triplets):
        pairs, top = mined.pairs_per_level[:-1].tolist(), settings.level_count - 1
        raise MiningError(
            f"no triplets can be drawn from {len(products)} products: no product has candidates at two levels "
            f"(pairs per level 0 to {top}: {pairs}); see boundaries {settings.boundaries}"
        )
    return mined


def enumerate_levels(signatures: Signatures, duplicates: NDArray[np.int64], settings: MiningSettings) -> MinedTriplets:
    """Draw triplets from the complete lists of candidates: exact and uniform, S x S in time."""
    rng, level_count = np.random.default_rng(settings.seed), settings.level_count
    parts, pairs = [], np.zeros(level_count + 1, np.int64)
    for rows in progress(list(_chunks(signatures)), "mine"):
        levels = pair_levels(signatures, rows, settings)
        pairs += pairs_per_level(signatures, rows, levels, level_count)
        buckets = CandidateBuckets(signatures, rows, levels, level_count)
        anchors = anchors_of(signatures, rows)
        parts.append(draw_triplets(anchors, buckets, duplicates, rng, settings, settings.triplets_per_anchor))
    return MinedTriplets(join_triplets(parts), pairs)


def _chunks(signatures: Signatures) -> Iterator[slice]:
    count = len(signatures)
    step = max(1, CELLS_PER_CHUNK // count)
    return (slice(first, min(first + step, count)) for first in range(0, count, step))
