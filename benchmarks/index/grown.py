"""A million vectors grown from the real ones, as hard to search as these.

Every grown vector starts at a real one and leaves it along a random mixture of the directions to its nearest
neighbours, x = a + s/sqrt(K) * sum_j g_j (n_j - a), g_j ~ N(0, 1): a draw from the Gaussian whose covariance is that of
the neighbourhood. So it stays where products are, in as many directions as there really are. The one free number, s,
is set so that a sample of as many grown vectors as there are real ones lies as close to its own tenth neighbour as
the real ones do; 0 would make copies, which are too easy to find, and noise in all directions would be too hard.
"""

from pathlib import Path
from typing import Any

import faiss as installed_faiss
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.index.plan import Plan
from benchmarks.index.real import FIELDS, GALLERY, QUERIES, load_vectors
from lookalike.progress import progress
from lookalike.storage import run_stage

faiss: Any = installed_faiss
NEIGHBOURS = 16
"""K: more would smooth over what the catalogue is made of."""
SAMPLE = 2_000
"""Vectors whose neighbours are looked at to compare two sets."""
TENTH = 10
STEPS = 6
"""Halvings of the range in which s is sought."""
PIECE = 10_000
Array = NDArray[np.float32]


def grown_vectors(plan: Plan, count: int) -> Path:
    """Grow `count` vectors in which the queries held back are still new; kept once made."""
    folder = plan.places.grown(count)
    run_stage(
        "bench-index-grown",
        folder,
        inputs={"real": plan.places.real},
        settings={"count": count, "seed": plan.study.seed},
        content=[GALLERY, QUERIES, FIELDS],
        work=lambda aside: _grow(plan, count, aside),
    )
    return folder


def _grow(plan: Plan, count: int, folder: Path) -> dict[str, Any]:
    real, random = load_vectors(plan.places.real), np.random.default_rng(plan.study.seed)
    near = neighbours(real.gallery, real.gallery, NEIGHBOURS + 1)[1][:, 1:]  # (N, K), without itself
    scale = calibrated(real.gallery, near, random)
    parents = random.integers(len(real), size=count)
    vectors = np.lib.format.open_memmap(folder / GALLERY, "w+", np.float32, (count, real.gallery.shape[1]))
    for start in progress(range(0, count, PIECE), "growing vectors"):
        rows = parents[start : start + PIECE]
        vectors[start : start + PIECE] = grow(real.gallery, near, rows, scale, random)
    vectors.flush()
    np.save(folder / QUERIES, real.queries, allow_pickle=False)
    real.fields.iloc[parents].to_parquet(folder / FIELDS, index=False)
    sample = vectors[random.permutation(count)[: len(real)]]
    return {"scale": scale, "likeness": likeness(real.gallery, sample, real.queries, random)}


def grow(real: Array, near: NDArray[np.int64], parents: NDArray[np.int64], scale: float, random: Generator) -> Array:
    """(P, D) unit vectors, one from each parent row; `near` (N, K) names every row's neighbours."""
    start = real[parents]  # (P, D)
    ways = real[near[parents]] - start[:, np.newaxis]  # (P, K, D)
    mixture = random.standard_normal(ways.shape[:2], np.float32) * (scale / np.sqrt(ways.shape[1]))
    grown = start + np.einsum("pk,pkd->pd", mixture, ways)
    return grown / np.linalg.norm(grown, axis=1, keepdims=True)


def calibrated(real: Array, near: NDArray[np.int64], random: Generator) -> float:
    """The s at which the median distance to the tenth neighbour is that of the real vectors."""
    wanted, (low, high) = float(np.median(_distances(real, random))), (0.1, 1.5)
    for _ in range(STEPS):
        scale = (low + high) / 2
        parents = random.integers(len(real), size=len(real))
        tried = np.concatenate([grow(real, near, part, scale, random) for part in np.array_split(parents, 16)])
        low, high = (scale, high) if np.median(_distances(tried, random)) < wanted else (low, scale)
    return (low + high) / 2


def likeness(real: Array, grown: Array, queries: Array, random: Generator) -> dict[str, Any]:
    """Quantiles of the distance to the first and tenth neighbour, and local dimensions, of two sets of one size."""
    return {
        name: {"members": _told(_member_distances(vectors, random)), "queries": _told(_apart(queries, vectors, 20))}
        for name, vectors in (("real", real), ("grown", grown))
    }


def neighbours(queries: Array, vectors: Array, count: int) -> tuple[Array, NDArray[np.int64]]:
    """(Q, count) cosines and rows of the exact nearest."""
    return faiss.knn(queries, vectors, min(count, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)


def _told(distances: Array) -> dict[str, Any]:
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    told = {
        f"nn{place}": [round(float(x), 4) for x in np.quantile(distances[:, place - 1], shares)] for place in (1, 10)
    }
    return {**told, "local_dimension": round(local_dimension(distances), 2)}


def local_dimension(distances: Array) -> float:
    """Intrinsic dimension from (S, K) distances to the nearest, by maximum likelihood (Levina & Bickel 2004, eq. 8)."""
    apart = distances[distances[:, 0] > 1e-3]  # copies of one photo say nothing about dimension
    return float(1 / np.mean(np.log(apart[:, -1:] / apart[:, :-1])))


def _distances(vectors: Array, random: Generator) -> Array:
    """(S,) distance of sampled members to their tenth neighbour."""
    return _member_distances(vectors, random)[:, min(TENTH, len(vectors) - 1) - 1]


def _member_distances(vectors: Array, random: Generator) -> Array:
    """(S, 20) Euclidean distances of sampled members to their nearest others."""
    return _apart(vectors[random.permutation(len(vectors))[:SAMPLE]], vectors, 21)[:, 1:]


def _apart(queries: Array, vectors: Array, count: int) -> Array:
    return np.sqrt(np.maximum(2 - 2 * neighbours(queries, vectors, count)[0], 0))
