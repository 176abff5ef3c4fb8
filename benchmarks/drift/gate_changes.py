"""How models are made worse: every change of vectors that the gate's measure plants, with its size."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.gate_shop import Change, GateShop

Vectors = NDArray[np.float32]


def noise(size: float, seed: int) -> Change:
    """Gaussian noise whose length is `size` times the vector's; a product's photos suffer different noise."""
    rng = np.random.default_rng([seed, 1])

    def change(vectors: Vectors, products: NDArray[np.int64]) -> Vectors:
        drawn = rng.standard_normal(vectors.shape).astype(np.float32)
        return np.asarray(vectors + size * drawn / np.sqrt(vectors.shape[1]), np.float32)

    return change


def broken(shop: GateShop, vertical: str, seed: int) -> Change:
    """Within one vertical every product has the vector of another one of it."""
    rng = np.random.default_rng([seed, 2])

    def change(vectors: Vectors, products: NDArray[np.int64]) -> Vectors:
        there = np.flatnonzero(shop.in_vertical(products, vertical))
        moved = vectors.copy()
        moved[there] = vectors[rng.permutation(there)]
        return moved

    return change


def stale(shop: GateShop, known: Vectors, vertical: str, axes: int) -> Change:
    """Products of one vertical keep only what the others' `axes` strongest directions tell of them, as with a model
    that never saw the vertical; `known` (N, D) are the gallery's vectors."""
    others = known[~shop.in_vertical(shop.gallery.products, vertical)]
    basis = np.linalg.svd(others - others.mean(axis=0), full_matrices=False)[2][:axes]  # (axes, D)

    def change(vectors: Vectors, products: NDArray[np.int64]) -> Vectors:
        there = shop.in_vertical(products, vertical)
        moved = vectors.copy()
        moved[there] = others.mean(axis=0) + (vectors[there] - others.mean(axis=0)) @ basis.T @ basis
        return moved

    return change


def collapsed(known: Vectors, left: float) -> Change:
    """All vectors lie near one: `left` of every vector's distance from the mean remains, beside noise of that size."""
    mean, rng = known.mean(axis=0), np.random.default_rng(3)

    def change(vectors: Vectors, products: NDArray[np.int64]) -> Vectors:
        drawn = rng.standard_normal(vectors.shape) / np.sqrt(vectors.shape[1])
        return np.asarray(mean + left * (vectors - mean) + left * drawn, np.float32)

    return change


def told(shop: GateShop, share: float) -> Change:
    """Vectors drawn towards the mean of all products alike in the fine attributes: what training on the evaluation set
    does to them."""
    codes = shop.truth.codes[:, list(shop.truth.fine)]
    kinds = np.unique(codes, axis=0, return_inverse=True)[1].ravel()  # (P,)

    def change(vectors: Vectors, products: NDArray[np.int64]) -> Vectors:
        kind = kinds[products]
        sums = np.zeros((kinds.max() + 1, vectors.shape[1]), np.float32)
        np.add.at(sums, kind, vectors)
        centres = sums / np.maximum(np.bincount(kind, minlength=len(sums)), 1)[:, None]
        return np.asarray((1 - share) * vectors + share * centres[kind], np.float32)

    return change


def narrowed(known: Vectors, axes: int) -> Change:
    """Only the strongest directions are kept, as with a smaller embedding."""
    mean = known.mean(axis=0)
    basis = np.linalg.svd(known - mean, full_matrices=False)[2][:axes]

    def change(vectors: Vectors, products: NDArray[np.int64]) -> Vectors:
        return np.asarray((vectors - mean) @ basis.T, np.float32)

    return change


def signs() -> Change:
    """One bit a value, as binary indexes keep."""
    return lambda vectors, products: np.sign(vectors).astype(np.float32) + np.float32(1e-9)
