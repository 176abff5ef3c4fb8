"""All vectors sorted into cells around centres, so that a filter's photos are found wherever they lie.

Inverted lists without codes (Jégou et al., section IV): of the cells that hold passing photos, those around the query
are compared whole. Cells without any cost nothing, so unlike a graph's search this one does not stay among photos that
do not pass, and takes the same time however far from the query the filter's photos are.
"""

import math
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import faiss as installed_faiss
import numpy as np
from numpy.typing import NDArray

from lookalike.index.attributes import Chosen
from lookalike.index.comparing import Found, Vectors, exact
from lookalike.storage import atomic_file

faiss: Any = installed_faiss  # its stubs know the C++ signatures only
CELLS = "cells.npz"
PER_ROOT = 4
"""Cells per root of N, as for inverted lists."""
LOOK = 6
"""Passing photos compared with a query, per root of N and per neighbour asked for (`docs/index.md`)."""
SPREAD = 1 / 4
"""Of a cell's spread, how much nearer than its centre it counts: at 0, wide cells are looked at too late."""
TRAINED_ON, ROUNDS = 25, 8
"""Vectors per centre and rounds of k-means."""
AT_ONCE = 100_000
"""Vectors assigned at a time."""


class Passing(NamedTuple):
    """A filter's rows, cell by cell; only cells that hold some."""

    rows: NDArray[np.int64]  # (P,)
    cells: NDArray[np.int64]  # (C,)
    ends: NDArray[np.int64]  # (C,) where each cell's rows end


class Cells:
    """C centres, how far their cells spread around them (root of the mean square), and the cell of every row."""

    def __init__(self, centres: Vectors, spreads: NDArray[np.float32], cell_of: NDArray[np.uint32]) -> None:
        self._centres, self._spreads = centres, spreads
        self._squares = np.vecdot(centres, centres) + 1  # (C,) and a query's own length
        self._cell_of = cell_of
        self._passing: WeakKeyDictionary[Chosen, Passing] = WeakKeyDictionary()

    @classmethod
    def build(cls, vectors: Vectors, seed: int) -> "Cells":
        """Centres by k-means on a sample, and each of the (N, D) unit vectors in the cell of the nearest."""
        count = min(len(vectors), PER_ROOT * math.isqrt(len(vectors)))
        sample = np.sort(np.random.default_rng(seed).permutation(len(vectors))[: TRAINED_ON * count])
        quiet = {"min_points_per_centroid": 1, "max_points_per_centroid": len(sample)}
        means = faiss.Kmeans(vectors.shape[1], count, niter=ROUNDS, seed=seed, **quiet)
        means.train(vectors[sample])
        starts = range(0, len(vectors), AT_ONCE)
        found = [means.index.search(vectors[start : start + AT_ONCE], 1) for start in starts]
        squares, cells = (np.concatenate(parts)[:, 0] for parts in zip(*found, strict=True))  # (N,)
        sizes = np.maximum(np.bincount(cells, minlength=count), 1)
        spreads = np.sqrt(np.bincount(cells, weights=squares, minlength=count) / sizes)
        return cls(means.centroids, spreads.astype(np.float32), cells.astype(np.min_scalar_type(count)))

    @classmethod
    def load(cls, folder: Path) -> "Cells | None":
        """None where the collection has none: see `segment`."""
        if not (folder / CELLS).is_file():
            return None
        with np.load(folder / CELLS, allow_pickle=False) as kept:
            return cls(kept["centres"], kept["spreads"], kept["cell_of"])

    def save(self, folder: Path) -> None:
        with atomic_file(folder / CELLS) as aside:
            np.savez(aside, centres=self._centres, spreads=self._spreads, cell_of=self._cell_of)

    def looked_at(self, count: int) -> int:
        """How many passing rows at least are compared for `count` neighbours."""
        return LOOK * max(count, math.isqrt(len(self._cell_of)))

    def nearest(self, vectors: Vectors, queries: Vectors, count: int, chosen: Chosen) -> Found:
        """The best `count` of the chosen rows in the cells around each of the (Q, D) queries; there must be as many."""
        passing = self._of(chosen)
        found = [
            exact(vectors, query[np.newaxis], self._around(query, passing, self.looked_at(count)), count)
            for query in queries
        ]
        scores, rows = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return scores, rows

    def _around(self, query: NDArray[np.float32], passing: Passing, least: int) -> NDArray[np.int64]:
        """At least so many passing rows, of whole cells, the nearest cells first."""
        squares = np.maximum(self._squares - 2 * (self._centres @ query), 0)  # (C,)
        order = np.argsort((np.sqrt(squares) - SPREAD * self._spreads)[passing.cells])
        starts = np.concatenate([[0], passing.ends[:-1]])
        enough = int(np.searchsorted(np.cumsum((passing.ends - starts)[order]), least)) + 1
        return np.concatenate([passing.rows[starts[cell] : passing.ends[cell]] for cell in order[:enough]])

    def _of(self, chosen: Chosen) -> Passing:
        known = self._passing.get(chosen)
        if known is None:
            cells = self._cell_of[chosen.rows]
            order = np.argsort(cells, kind="stable")
            present, counts = np.unique(cells, return_counts=True)
            known = self._passing[chosen] = Passing(chosen.rows[order], present.astype(int), np.cumsum(counts))
        return known
