"""Candidates by level, ready for uniform draws without ever listing them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lookalike.mining.levels import Signatures


@dataclass(frozen=True)
class Anchors:
    """M anchors: which product, of which signature, at which place among that signature's products."""

    product: NDArray[np.int64]
    row: NDArray[np.int64]
    """Signature, counted from the first of the chunk."""
    rank: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.product)

    def take(self, which: NDArray) -> "Anchors":
        """The anchors at these positions or under this mask."""
        return Anchors(self.product[which], self.row[which], self.rank[which])


class Buckets(Protocol):
    """The candidates of M anchors by level: how many there are, and draws among them."""

    def sizes(self, anchors: Anchors) -> NDArray[np.int64]:
        """(M, L) candidates per anchor and level, the anchor itself not counted."""

    def draw(self, anchors: Anchors, level: NDArray[np.int8], rng: Generator) -> NDArray[np.int64]:
        """(M,) one product per anchor from its bucket of `level` (M,), never the anchor itself.

        The caller has checked with `sizes` that the bucket holds somebody.
        """


def anchors_of(signatures: Signatures, rows: slice) -> Anchors:
    """Every product whose signature lies in `rows`."""
    counts = signatures.counts[rows]
    row = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = signatures.starts[rows.start]
    return Anchors(signatures.members[first : first + len(row)], row, rank)


class CandidateBuckets:
    """For R signatures of a chunk, all products by level; draws are uniform.

    Per level the running number of candidates along the flattened (R, S) is kept; a draw is one binary
    search in it, so a bucket of a million products costs as much as one of three.
    """

    def __init__(self, signatures: Signatures, rows: slice, levels: NDArray[np.int8], level_count: int) -> None:
        self._signatures, self._first = signatures, rows.start
        self._width = len(signatures)  # S
        self._running = np.stack(
            [np.cumsum((levels == level) * signatures.counts, dtype=np.int64) for level in range(level_count)]
        )  # (L, R * S)
        ends = self._running[:, self._width - 1 :: self._width]  # (L, R)
        self._begins = np.concatenate([np.zeros((level_count, 1), np.int64), ends[:, :-1]], axis=1)
        self._sizes = (ends - self._begins).T  # (R, L)
        self._own = levels[np.arange(len(levels)), np.arange(len(levels)) + rows.start]  # (R,)

    def sizes(self, anchors: Anchors) -> NDArray[np.int64]:
        own = self._own[anchors.row][:, None] == np.arange(self._sizes.shape[1])
        return self._sizes[anchors.row] - own

    def draw(self, anchors: Anchors, level: NDArray[np.int8], rng: Generator) -> NDArray[np.int64]:
        own = self._own[anchors.row] == level
        begins = self._begins[level, anchors.row]
        place = begins + rng.integers(0, self._sizes[anchors.row, level] - own)
        place += own & (place >= self._place_of_self(anchors, level))  # step over the anchor
        cell = np.empty_like(place)  # position in the flattened (R, S)
        for wanted in np.unique(level):
            at = level == wanted
            cell[at] = np.searchsorted(self._running[wanted], place[at], side="right")
        signature = cell % self._width
        within = place - (self._running[level, cell] - self._signatures.counts[signature])
        return self._signatures.members[self._signatures.starts[signature] + within]

    def _place_of_self(self, anchors: Anchors, level: NDArray[np.int8]) -> NDArray[np.int64]:
        signature = anchors.row + self._first
        cell = anchors.row * self._width + signature
        return self._running[level, cell] - self._signatures.counts[signature] + anchors.rank
