"""Exact retrieval: every query against every gallery photo, answers per product, the own product left out."""

from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import EvaluationError
from lookalike.progress import progress

CHUNK = 1024
"""Queries searched at a time."""

SCORE_DECIMALS = 6
"""Equal photos differ in the last float32 bits by their place in the matrix; rounding lets them tie."""


@dataclass(frozen=True)
class Gallery:
    """N photos to search, each with its product."""

    vectors: NDArray[np.float32]
    """(N, D), unit length."""
    products: NDArray[np.int64]
    """(N,): row of the photo's product in the catalogue."""
    items: NDArray[np.int64]
    """(N,): the item shown; known duplicate listings of one article share it."""

    def keep(self, kept: NDArray[np.bool_]) -> "Gallery":
        """The photos where the (N,) mask holds."""
        return Gallery(self.vectors[kept], self.products[kept], self.items[kept])


@dataclass(frozen=True)
class Ranking:
    """The K best products of every query; ties go to the smaller product row."""

    products: NDArray[np.int64]
    """(Q, K): product rows, best first, -1 where the gallery had no more products."""
    scores: NDArray[np.float32]
    """(Q, K): cosine similarity of the product's best photo, NaN beside -1."""


def rank_products(
    queries: NDArray[np.float32],
    gallery: Gallery,
    k: int,
    left_out: NDArray[np.int64] | None = None,
    label: str = "searching",
) -> Ranking:
    """Rank gallery products by their best photo for (Q, D) queries.

    `left_out` names per query (Q,) the item that must not answer: leave-one-out evaluation, in which neither
    the query's own product nor a duplicate listing of it counts. Raises EvaluationError for an empty gallery
    or vectors of different sizes.
    """
    _check(queries, gallery)
    left = np.full(len(queries), -1) if left_out is None else left_out
    index = faiss.IndexFlatIP(gallery.vectors.shape[1])
    index.add(np.ascontiguousarray(gallery.vectors))
    depth = k * _most(gallery.products) + _most(gallery.items) + 1  # k products, the item left out, one to see a tie
    products = np.full((len(queries), k), -1, dtype=np.int64)
    scores = np.full((len(queries), k), np.nan, dtype=np.float32)
    for start in progress(range(0, len(queries), CHUNK), label):
        part = slice(start, start + CHUNK)
        candidates = _candidates(index, gallery.vectors, np.ascontiguousarray(queries[part]), depth)
        for at, (rows, found) in enumerate(candidates, start):
            allowed = gallery.items[rows] != left[at]
            _place(gallery.products[rows[allowed]], found[allowed], products[at], scores[at])
    return Ranking(products, scores)


def _most(labels: NDArray[np.int64]) -> int:
    """Photos of the label that has most of them."""
    return int(np.unique(labels, return_counts=True)[1].max())


def _candidates(
    index: faiss.IndexFlatIP, vectors: NDArray[np.float32], queries: NDArray[np.float32], depth: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Per query the rows and scores of its `depth` best photos, and of all that tie with the last of them.

    A cut through a tie would let faiss's internal order decide who is in.
    """
    depth = min(depth, index.ntotal)
    scores, rows = index.search(queries, depth)  # (q, depth)
    scores = scores.round(SCORE_DECIMALS)
    for query, row, score in zip(queries, rows, scores, strict=True):
        if depth == index.ntotal or score[-1] < score[-2]:
            yield row, score
        else:
            everything = (vectors @ query).round(SCORE_DECIMALS)  # (N,)
            tied = np.flatnonzero(everything >= score[-1])
            yield tied, everything[tied]


def _place(
    found_products: NDArray[np.int64],
    found_scores: NDArray[np.float32],
    products: NDArray[np.int64],
    scores: NDArray[np.float32],
) -> None:
    """Fill one query's K places from its candidate photos, each product by its best one."""
    order = np.lexsort((found_products, -found_scores))
    ordered = found_products[order]
    first = np.sort(np.unique(ordered, return_index=True)[1])[: len(products)]
    products[: len(first)] = ordered[first]
    scores[: len(first)] = found_scores[order][first]


def _check(queries: NDArray[np.float32], gallery: Gallery) -> None:
    if len(gallery.products) == 0:
        raise EvaluationError("the gallery is empty; at least one photo is needed")
    if queries.ndim != 2 or queries.shape[1] != gallery.vectors.shape[1]:
        raise EvaluationError(
            f"queries have shape {queries.shape}; the gallery's vectors have {gallery.vectors.shape[1]} values each"
        )
