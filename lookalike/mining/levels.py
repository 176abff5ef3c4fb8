"""How alike two products are by their attributes: the share of known attributes that match, cut into levels.

Shopsy (arXiv 2210.04560, "Triplet mining"): candidates come "across multiple levels, such that it captures
the relative order within the data", by the percentage of attributes matched. The boundaries are ours; the
paper states none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNDEFINED = -1
"""Level of a pair with no attribute known in both; it is neither a positive nor a negative."""

ROUNDING = 1e-6
"""Slack at a boundary, so that 3 of 4 weighted attributes reach 0.75 whatever the summation order."""


@dataclass(frozen=True)
class Signatures:
    """Products with equal vertical and attributes share a signature, and with it all their levels.

    A catalogue of N products has far fewer signatures S, so levels are computed once per pair of signatures:
    exact, and S x S instead of N x N.
    """

    verticals: NDArray[np.int32]
    """(S,); -1 where unknown."""
    codes: NDArray[np.int32]
    """(S, A) attribute codes; -1 where unknown."""
    counts: NDArray[np.int64]
    """(S,) products per signature."""
    members: NDArray[np.int64]
    """(N,) product positions, those of signature 0 first."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """(S,) where each signature's products begin in `members`."""
        return np.cumsum(self.counts) - self.counts


def group_signatures(verticals: NDArray[np.int32], codes: NDArray[np.int32]) -> Signatures:
    """Group N products by vertical (N,) and attribute codes (N, A)."""
    rows = np.column_stack([verticals, codes])
    unique, inverse, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    members = np.argsort(inverse.ravel(), kind="stable")
    return Signatures(unique[:, 0], unique[:, 1:], counts.astype(np.int64), members.astype(np.int64))


def pair_levels(
    signatures: Signatures, rows: slice, weights: NDArray[np.float32], boundaries: Sequence[float]
) -> NDArray[np.int8]:
    """Levels between the signatures of `rows` and all S: (R, S) int8, UNDEFINED where nothing is known in both.

    A level is the number of boundaries the weighted share of matching attributes reaches. Products of
    different verticals are at level 0 whatever their attributes say: a red shoe is no red bag.
    """
    codes, verticals = signatures.codes, signatures.verticals
    shape = (len(codes[rows]), len(codes))
    matching, known = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for attribute, weight in enumerate(weights):
        ours, theirs = codes[rows, attribute][:, None], codes[None, :, attribute]  # (R, 1), (1, S)
        known += weight * ((ours >= 0) & (theirs >= 0))
        matching += weight * ((ours >= 0) & (ours == theirs))
    levels = np.zeros(shape, np.int8)
    for boundary in boundaries:
        levels += matching >= (boundary - ROUNDING) * known
    levels[known == 0] = UNDEFINED
    ours, theirs = verticals[rows][:, None], verticals[None, :]
    levels[(ours != theirs) & (ours >= 0) & (theirs >= 0)] = 0
    return levels


def pairs_per_level(
    signatures: Signatures, rows: slice, levels: NDArray[np.int8], level_count: int
) -> NDArray[np.int64]:
    """(level_count + 1,) ordered pairs of different products with their anchor in `rows`; the last is UNDEFINED."""
    ours, theirs = signatures.counts[rows], signatures.counts
    pairs = np.array([ours @ (levels == level) @ theirs for level in (*range(level_count), UNDEFINED)])
    own = levels[np.arange(len(ours)), np.arange(len(theirs))[rows]]
    np.subtract.at(pairs, own, ours)  # a product paired with itself; UNDEFINED, -1, is the last place
    return pairs
