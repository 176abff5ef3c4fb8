"""From the vectors there are to as many as there will be: held-out queries, a sample, or vectors grown in between."""

from dataclasses import dataclass
from typing import Any

import faiss as installed_faiss
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.selection.sources import Source
from lookalike.selection.truth import FineLabels

faiss: Any = installed_faiss
Vectors = NDArray[np.float32]
MOST_HELD_OUT = 0.1
"""Share of the products that may become queries."""
POOL = 50_000
"""Originals that others are grown from, at most: their neighbours are searched exactly."""
NEAREST = 8
"""Neighbours of an original that a grown vector may lie towards."""
CORNERS = 3
"""How many of them, so that grown vectors fill a neighbourhood instead of lines through it."""
GROWN_AT_ONCE = 50_000


@dataclass(frozen=True)
class Study:
    """What a sweep is run on."""

    vectors: Vectors
    """(N, D)"""
    queries: Vectors
    """(Q, D), of products that are not among the vectors."""
    labels: FineLabels | None
    how: str
    """How they were made of the source, in a sentence."""


def prepare(source: Source, products: int, queries: int, seed: int) -> Study:
    """Hold products out as queries, then sample or grow the rest to the photos of `products` products.

    Where the source has as many products as asked, the rest stays whole. Grown vectors have no attributes, so labels
    are kept only where nothing was grown. Raises VectorIndexError where the source is too small to hold any out.
    """
    random = np.random.default_rng(seed)
    asked, rest = _hold_out(source, queries, random)
    known, wanted = len(pd.unique(source.products)), round(products * source.photos_per_product)
    held = f"{len(asked):,} products were held out as queries; each is asked for with one photo."
    if products > known:
        how = f"The other {len(rest):,} photos were grown to {wanted:,}, each new one amid a photo and its neighbours."
        return Study(grow(source.vectors[rest], wanted, seed), source.vectors[asked], None, f"{held} {how}")
    if wanted < len(rest):
        how = f"Of the other {len(rest):,} photos {wanted:,} were sampled."
        rest = np.sort(random.permutation(rest)[:wanted])
    else:
        how = f"The other {len(rest):,} photos are searched."
    labels = None if source.codes is None else FineLabels(source.codes[rest], source.codes[asked])
    return Study(source.vectors[rest], source.vectors[asked], labels, f"{held} {how}")


def grow(vectors: Vectors, count: int, seed: int) -> Vectors:
    """(count, D): the (N, D) vectors, then new ones at random places between one of them and three near neighbours.

    A new vector is the weighted mean of an original and three of its eight nearest, all weights equally likely
    (Dirichlet), of unit length: it lies where the originals lie, as dense as they lie there.
    """
    if len(vectors) <= CORNERS:
        raise VectorIndexError(f"{len(vectors)} vectors cannot be grown; {CORNERS + 1} or more are needed")
    random = np.random.default_rng(seed)
    pool = vectors[np.sort(random.permutation(len(vectors))[:POOL])]
    nearest = min(NEAREST, len(pool) - 1)
    _, neighbours = faiss.knn(pool, pool, nearest + 1, metric=faiss.METRIC_INNER_PRODUCT)  # (P, nearest + 1)
    grown = [vectors]
    for start in range(len(vectors), count, GROWN_AT_ONCE):
        grown.append(_between(pool, neighbours, min(GROWN_AT_ONCE, count - start), random))
    return np.concatenate(grown)[:count]


def _between(pool: Vectors, neighbours: NDArray[np.int64], count: int, random: np.random.Generator) -> Vectors:
    """(count, D)"""
    originals = random.integers(len(pool), size=count)
    picks = random.permuted(np.tile(np.arange(1, neighbours.shape[1]), (count, 1)), axis=1)[:, :CORNERS]
    corners = np.column_stack([originals, neighbours[originals[:, None], picks]])  # (count, 4)
    weights = random.dirichlet(np.ones(corners.shape[1]), size=count).astype(np.float32)
    mixed = np.einsum("nc,ncd->nd", weights, pool[corners])
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.where(lengths > 0, mixed / np.maximum(lengths, 1e-12), pool[originals]).astype(np.float32)


def _hold_out(source: Source, queries: int, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows asked with, one photo per product, and the rows of all other products."""
    codes, names = pd.factorize(source.products)
    count = min(queries, int(MOST_HELD_OUT * len(names)))
    if not count:
        raise VectorIndexError(f"{len(names)} products are too few to hold some out; 10 or more are accepted")
    held = random.permutation(len(names))[:count]
    first = np.unique(codes, return_index=True)[1]  # (P,) a row of each product
    return np.sort(first[held]), np.flatnonzero(~np.isin(codes, held))
