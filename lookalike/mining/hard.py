"""Hard negatives: of the wanted level, but near the anchor in the current embedding.

Guarded after Moreira et al., "NV-Retriever" (arXiv 2407.15831), who measure candidates against the positive:
one much nearer than it is more likely a positive nobody labelled than a mistake to learn from.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lookalike.mining.labels import Labels
from lookalike.mining.levels import levels_between
from lookalike.mining.neighbours import Neighbours, ProductIndex
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets, near_duplicates
from lookalike.progress import progress

CHUNK = 8192
"""Triplets made harder at a time; about 100 MB at the default depth."""


def harden(
    triplets: Triplets,
    products: Labels,
    vectors: NDArray[np.float32],
    duplicates: NDArray[np.int64],
    settings: MiningSettings,
) -> tuple[Triplets, int]:
    """Give a share of the triplets a hard negative of the level they have; where there is none, theirs stays.

    `vectors` (N, D) are unit length. Returns the triplets and how many have a hard negative now.
    """
    rng = np.random.default_rng([settings.seed, 1])
    chosen = np.flatnonzero(rng.random(len(triplets)) < settings.hard_share)
    luck = rng.random(len(chosen))
    index, negative, hardened = ProductIndex(vectors), triplets.negative.copy(), 0
    for first in progress(range(0, len(chosen), CHUNK), "hard negatives"):
        part = chosen[first : first + CHUNK]
        asked = triplets.take(part)
        anchors, row = np.unique(asked.anchor, return_inverse=True)
        near = index.nearest(anchors, settings.hard_depth)
        candidates = hard_candidates(asked, row, near, products, vectors, duplicates, settings)
        found = (candidates >= 0).sum(axis=1)
        column = (luck[first : first + CHUNK] * found).astype(np.int64)
        picked = candidates[np.arange(len(part)), column]
        negative[part] = np.where(found > 0, picked, asked.negative)
        hardened += int((found > 0).sum())
    return replace(triplets, negative=negative), hardened


def hard_candidates(
    asked: Triplets,
    row: NDArray[np.int64],
    near: Neighbours,
    products: Labels,
    vectors: NDArray[np.float32],
    duplicates: NDArray[np.int64],
    settings: MiningSettings,
) -> NDArray[np.int64]:
    """(T, hard_nearest) hard negatives of T triplets, nearest first, -1 where there are no more.

    Triplet t's anchor has its neighbours in row `row[t]` of `near` (M, K). Left out are products of other levels
    than the triplet's negative, near-duplicates of anchor or positive, unknown copies of the anchor
    (`hard_ceiling`) and probable false negatives (`hard_lead`).
    """
    anchors = np.empty(len(near.products), np.int64)
    anchors[row] = asked.anchor
    levels = levels_between(products.take(anchors[:, None]), products.take(near.products), settings)  # (M, K)
    usable = (near.products >= 0) & (near.products != anchors[:, None]) & (near.similarity < settings.hard_ceiling)
    usable &= ~near_duplicates(duplicates, anchors[:, None], near.products)
    others, similarity = near.products[row], near.similarity[row]  # (T, K)
    reach = np.einsum("td,td->t", vectors[asked.anchor], vectors[asked.positive]) + settings.hard_lead
    allowed = usable[row] & (levels[row] == asked.negative_level[:, None]) & (similarity <= reach[:, None])
    allowed &= ~near_duplicates(duplicates, asked.positive[:, None], others)
    place = np.cumsum(allowed, axis=1) - 1
    triplet, column = np.nonzero(allowed & (place < settings.hard_nearest))
    found = np.full((len(asked), settings.hard_nearest), -1, np.int64)
    found[triplet, place[triplet, column]] = others[triplet, column]
    return found
