"""The hyperplanes whose sides are the bits of a binary code."""

import math

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.index.faiss_settings import BinarySettings

Vectors = NDArray[np.float32]
SAMPLE = 20_000
"""Vectors the mean and a learned rotation are found from, at most."""
TURNS = 50
"""Alternations of the learned rotation, as many as its authors make."""


def sign_axes(vectors: Vectors, settings: BinarySettings, seed: int) -> Vectors:
    """(D + 1, bits): the axes of the hyperplanes, and below them the offset that centres the (N, D) vectors.

    Raises VectorIndexError where the codes are longer than this rotation can make them.
    """
    dimension = vectors.shape[1]
    if settings.rotation == "none" and settings.bits != dimension:
        raise VectorIndexError(f"bits is {settings.bits}; without a rotation only {dimension} is accepted")
    if settings.rotation == "learned" and settings.bits > dimension:
        raise VectorIndexError(f"bits is {settings.bits}; a learned rotation makes at most the dimension, {dimension}")
    sample = vectors[:: max(1, len(vectors) // SAMPLE)].astype(np.float64)
    mean = sample.mean(axis=0) if len(sample) else np.zeros(dimension)
    match settings.rotation:
        case "random":
            axes = _random(dimension, settings.bits, seed)
        case "learned":
            axes = _learned(sample - mean, settings.bits, seed)
        case "none":
            axes = np.eye(dimension)
    return np.vstack([axes, -mean @ axes]).astype(np.float32)


def _random(dimension: int, bits: int, seed: int) -> NDArray[np.float64]:
    """(D, bits) orthogonal axes, as many blocks of D as it takes (Charikar's hyperplanes, section 3)."""
    random = np.random.default_rng(seed)
    blocks = math.ceil(bits / dimension)
    turned = [np.linalg.qr(random.standard_normal((dimension, dimension)))[0] for _ in range(blocks)]
    return np.concatenate(turned, axis=1)[:, :bits]


def _learned(centred: NDArray[np.float64], bits: int, seed: int) -> NDArray[np.float64]:
    """(D, bits): the principal axes, turned until signs lose least (ITQ, Gong & Lazebnik, section 3.2)."""
    _, every = np.linalg.eigh(centred.T @ centred)
    principal = every[:, ::-1][:, :bits]  # (D, bits)
    reduced = centred @ principal  # (n, bits)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((bits, bits)))[0]
    for _ in range(TURNS):
        codes = np.where(reduced @ turn > 0, 1.0, -1.0)
        left, _, right = np.linalg.svd(codes.T @ reduced)
        turn = right.T @ left.T
    return principal @ turn
