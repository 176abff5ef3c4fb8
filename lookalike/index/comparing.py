"""Queries compared with stored vectors, row by row: how an approximate search ends, and what else there is."""

from typing import Any

import faiss as installed_faiss
import numpy as np
from numpy.typing import NDArray

faiss: Any = installed_faiss  # its stubs lack what compares by rows
Vectors = NDArray[np.float32]
Found = tuple[NDArray[np.float32], NDArray[np.int64]]
"""(Q, S) cosines and rows, in no promised order; row -1 where fewer were found."""
FEW = 4
"""Queries for which rows are compared where they lie; for more, copying them side by side first is quicker."""
PIECE = 32_768
"""Rows copied at a time: 16 MB of 128 floats."""


def exact(vectors: Vectors, queries: Vectors, rows: NDArray[np.int64], count: int) -> Found:
    """The best `count` of the given rows, or all where there are fewer, by comparing with each."""
    count = min(count, len(rows))
    if len(queries) <= FEW:
        return _in_place(vectors, queries, rows, count)
    pieces = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
    found = [
        best(queries @ vectors[piece].T, np.broadcast_to(piece, (len(queries), len(piece))), count) for piece in pieces
    ]
    scores, named = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return best(scores, named, count)


def rerank(vectors: Vectors, queries: Vectors, rows: NDArray[np.int64], count: int) -> Found:
    """The best `count` of each query's own (Q, S) rows by their exact cosines; -1 stays -1, and is the worst."""
    scores = np.empty(rows.shape, dtype=np.float32)
    pointers = [faiss.swig_ptr(array) for array in (scores, queries, vectors, rows)]
    faiss.fvec_inner_products_by_idx(*pointers, vectors.shape[1], *rows.shape)  # minus infinity for a row of -1
    return best(scores, rows, count)


def _in_place(vectors: Vectors, queries: Vectors, rows: NDArray[np.int64], count: int) -> Found:
    scores = np.empty((len(queries), count), dtype=np.float32)
    named = np.empty((len(queries), count), dtype=np.int64)
    x, y, ids, values, found = (faiss.swig_ptr(array) for array in (queries, vectors, rows, scores, named))
    sizes = (vectors.shape[1], len(queries), len(vectors), len(rows), count)
    faiss.knn_inner_products_by_idx(x, y, ids, *sizes, values, found, 0)  # 0: all queries are given the same rows
    return scores, named


def best(scores: Vectors, rows: NDArray[np.int64], count: int) -> Found:
    """The best `count` columns of each line; -1, where there is one, is the worst."""
    if count >= scores.shape[1]:
        return scores, rows
    best = np.argpartition(-scores, count - 1, axis=1)[:, :count]  # (Q, count)
    return np.take_along_axis(scores, best, axis=1), np.take_along_axis(rows, best, axis=1)
