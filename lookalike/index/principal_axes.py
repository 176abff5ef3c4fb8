"""Fewer dimensions for what is scanned: the axes along which vectors differ most; answers are compared whole."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError

Vectors = NDArray[np.float32]
AXES = "axes.npy"
SAMPLE = 100_000
"""Vectors the axes are found from, at most."""


def principal_axes(vectors: Vectors, count: int | None) -> Vectors | None:
    """(D, count) orthonormal axes that keep most of the (N, D) vectors' inner products; None keeps all.

    The mean is not taken off: inner products with a query would change by a different amount for every vector.
    Raises VectorIndexError for more axes than the vectors have.
    """
    if count is None:
        return None
    if count > vectors.shape[1]:
        raise VectorIndexError(f"axes is {count}, but the vectors have dimension {vectors.shape[1]}")
    sample = vectors[:: max(1, len(vectors) // SAMPLE)].astype(np.float64)
    _, axes = np.linalg.eigh(sample.T @ sample)  # by growing eigenvalue
    return np.ascontiguousarray(axes[:, ::-1][:, :count], dtype=np.float32)


def along(axes: Vectors | None, vectors: Vectors) -> Vectors:
    """(N, D) to (N, count)."""
    return vectors if axes is None else vectors @ axes


def save_axes(axes: Vectors | None, folder: Path) -> None:
    if axes is not None:
        np.save(folder / AXES, axes, allow_pickle=False)


def load_axes(folder: Path) -> Vectors | None:
    return np.load(folder / AXES, allow_pickle=False) if (folder / AXES).is_file() else None
