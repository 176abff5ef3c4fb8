"""The golden vectors: a few photos nobody took, and what the model must answer to them.

A ready model may still answer nonsense (empty tensors, another model's file, a lost normalisation), so
every embedder answers these before it is used.
"""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.images import Preprocessing
from lookalike.config import StrictConfig, load_config
from lookalike.embedders.model_folder import GOLDEN
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ReleaseMismatch

COUNT = 3
CELLS = 6
"""Cells along each side; blocks of colour tell swapped channels and axes apart, noise hardly does."""


class Golden(StrictConfig):
    """`golden.json`: the vectors expected for `golden_pixels`."""

    fingerprint: str
    """The model that answered."""
    vectors: list[list[float]]
    """(COUNT, D) unit vectors."""
    min_cosine: float = 0.999
    """Least agreement accepted; half precision stays above it, another model or preprocessing does not."""


def golden_pixels(preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """(COUNT, H, W, 3) coloured checkerboards; the same bytes with every numpy, on every machine."""
    colours = hashlib.shake_256(b"lookalike golden pixels 1").digest(COUNT * CELLS * CELLS * 3)
    grid = np.frombuffer(colours, dtype=np.uint8).reshape(COUNT, CELLS, CELLS, 3)
    rows = np.arange(preprocessing.height) * CELLS // preprocessing.height
    columns = np.arange(preprocessing.width) * CELLS // preprocessing.width
    return np.ascontiguousarray(grid[:, rows][:, :, columns])  # (COUNT, H, W, 3)


def load_golden(folder: Path) -> Golden:
    """Read `golden.json` from a model folder."""
    return load_config(Golden, folder / GOLDEN)


def check_golden(embedder: Embedder, golden: Golden, owner: str) -> float:
    """Compare an embedder's answer with the golden vectors; returns the least cosine.

    Raises ReleaseMismatch when it falls below the bound or the vectors belong to another model, and
    passes on what `embed` raises.
    """
    identity = embedder.identity
    identity.require(golden.fingerprint, "the file of golden vectors")
    vectors = embedder.embed(golden_pixels(identity.preprocessing)).vectors
    cosine = float((vectors * np.asarray(golden.vectors, dtype=np.float32)).sum(axis=1).min())
    if not cosine >= golden.min_cosine:
        raise ReleaseMismatch(
            f"{owner} answers the golden photos with cosine {cosine:.4f} to the expected vectors; "
            f"at least {golden.min_cosine} is accepted. It serves another model, or a damaged one"
        )
    return cosine
