"""What a finished collection must show before anyone reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.index.gallery import Gallery
from lookalike.index.protocol import CollectionInfo, VectorIndex
from lookalike.index.ranking import round_scores

TIE = 2e-6
"""A hit as close as the exact k-th neighbour counts as found, whichever of the equals it is."""
SAME = 1e-3
"""Largest difference between a stored vector's component and ours; float32 stores keep 1e-7."""
QUERIES_PER_CALL = 50


@dataclass(frozen=True)
class Recall:
    """How much of the exact answer the index gives."""

    value: float
    k: int
    n: int
    """Queries asked."""


def require_count(index: VectorIndex, collection: str, expected: int) -> None:
    """Raise VectorIndexError unless every photo is stored exactly once."""
    stored = index.count(collection)
    if stored != expected:
        raise VectorIndexError(f"collection {collection} holds {stored} photos, {expected} were stored")


def require_identity(index: VectorIndex, info: CollectionInfo) -> None:
    """Raise VectorIndexError unless the collection says it belongs to this release and model."""
    found = index.describe(info.name)
    if found != info:
        raise VectorIndexError(f"collection {info.name} describes itself as {found}, expected {info}")


def require_golden(index: VectorIndex, info: CollectionInfo, gallery: Gallery, rows: NDArray[np.intp]) -> None:
    """Raise VectorIndexError unless chosen photos are stored unchanged and are their own nearest neighbours."""
    answers = index.search(info.name, gallery.vectors[rows], 1)
    for row, hits in zip(rows, answers, strict=True):
        photo = gallery.photos["photo_id"].iloc[row]
        stored = index.vectors(info.name, gallery.photos["product_id"].iloc[row])  # (P, D)
        if not (np.abs(stored - gallery.vectors[row]).max(axis=1, initial=0) < SAME).any():
            raise VectorIndexError(f"collection {info.name} does not hold the vector of photo {photo}")
        if not hits or hits[0].score < 1 - SAME:
            raise VectorIndexError(f"collection {info.name} does not find photo {photo} by its own vector: {hits}")


def measure_recall(
    index: VectorIndex, collection: str, gallery: Gallery, queries: NDArray[np.float32], k: int = 10
) -> Recall:
    """Share of the exact k nearest photos that the index answers, over (Q, D) queries; ties count as found."""
    k = min(k, len(gallery.vectors))
    found = 0
    for start in range(0, len(queries), QUERIES_PER_CALL):
        part = queries[start : start + QUERIES_PER_CALL]
        scores = round_scores(part @ gallery.vectors.T)  # (Q, N)
        kth = np.partition(scores, -k, axis=1)[:, -k]  # (Q,)
        for hits, least in zip(index.search(collection, part, k), kth, strict=True):
            found += sum(hit.score >= least - TIE for hit in hits)
    return Recall(found / (k * len(queries)), k, len(queries))
