"""The current embedding of every product, as the embed stage leaves it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.errors import ArtifactError, MiningError

VECTORS = "vectors.parquet"
"""Columns `product_id` (text) and `vector` (a list of D numbers, unit length), one row per product."""

UNIT = 1e-3
"""How far a vector's length may be from 1."""


def read_vectors(folder: Path, ids: NDArray) -> NDArray[np.float32]:
    """(N, D) vectors of the products `ids` (N,).

    Raises ArtifactError for a missing file, MiningError for a product without a vector and for vectors that are
    not of unit length.
    """
    if not (folder / VECTORS).is_file():
        raise ArtifactError(f"{folder} holds no {VECTORS}; embed the products first")
    table = pq.read_table(folder / VECTORS, columns=["product_id", "vector"])
    rows = pd.Index(table["product_id"].to_pandas()).get_indexer(pd.Index(ids))
    if (rows < 0).any():
        raise MiningError(f"{(rows < 0).sum()} of {len(ids)} products have no vector, {ids[rows < 0][0]!r} first")
    flat = table["vector"].combine_chunks().flatten().to_numpy().astype(np.float32, copy=False)
    vectors = flat.reshape(len(table), -1)[rows]  # (N, D)
    length = np.linalg.norm(vectors, axis=1)
    if not (np.abs(length - 1) < UNIT).all():  # a NaN is none either
        raise MiningError(
            f"vectors must be of unit length; those in {folder} reach from {length.min():.3f} to {length.max():.3f}"
        )
    return vectors


def read_some_vectors(folder: Path, ids: NDArray, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(N, D) vectors of those of the products `ids` (N,) that are `wanted` (N,), zeros for the others.

    Raises as `read_vectors` does.
    """
    if not wanted.any():
        return np.zeros((len(ids), 1), np.float32)
    known = read_vectors(folder, ids[wanted])
    vectors = np.zeros((len(ids), known.shape[1]), np.float32)
    vectors[wanted] = known
    return vectors
