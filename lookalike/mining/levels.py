"""How alike two products are by their attributes: the share of known attributes that match, cut into levels.

Shopsy (arXiv 2210.04560, "Triplet mining"): candidates come "across multiple levels, such that it captures
the relative order within the data", by the percentage of attributes matched. The boundaries are ours; the
paper states none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.mining.labels import Labels
from lookalike.mining.settings import MiningSettings

UNDEFINED = -1
"""Level of a pair with no attribute known in both; it is neither a positive nor a negative."""

ROUNDING = 1e-6
"""Slack at a boundary, so that 3 of 4 weighted attributes reach 0.75 whatever the summation order."""


def levels_between(ours: Labels, theirs: Labels, settings: MiningSettings) -> NDArray[np.int8]:
    """Levels of pairs, ours (the anchors) and theirs broadcast against one another; UNDEFINED where nothing, or less
    than `least_common` of what is known of ours, is known in both.

    A level is the number of boundaries the weighted share of matching attributes reaches; an attribute weighs
    the mean of what its two values count. A pair from two verticals stays at or below `across_level`.
    """
    shape = np.broadcast_shapes(ours.verticals.shape, theirs.verticals.shape)
    matching, known, lacking = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for attribute in range(ours.codes.shape[-1]):
        our_code, their_code = ours.codes[..., attribute], theirs.codes[..., attribute]
        weight = (ours.weights[..., attribute] + theirs.weights[..., attribute]) / 2
        lacking += ours.weights[..., attribute] * (their_code < 0)
        known += weight * ((our_code >= 0) & (their_code >= 0))
        matching += weight * ((our_code >= 0) & (our_code == their_code))
    levels = np.zeros(shape, np.int8)
    for boundary in settings.boundaries:
        levels += matching >= (boundary - ROUNDING) * known
    asked = ours.weights.sum(axis=-1)  # what is not known weighs nothing
    levels[(known == 0) | (lacking > (1 - settings.least_common + ROUNDING) * asked)] = UNDEFINED
    across = (ours.verticals != theirs.verticals) & (ours.verticals >= 0) & (theirs.verticals >= 0)
    levels[across] = np.clip(levels[across], 0, settings.across_level)
    return levels


@dataclass(frozen=True)
class Signatures:
    """Products with equal vertical and attributes share a signature, and with it all their levels.

    A catalogue of N products often has far fewer signatures S, so levels are computed once per pair of
    signatures: exact, and S x S instead of N x N.
    """

    labels: Labels
    """Of the S signatures."""
    counts: NDArray[np.int64]
    """(S,) products per signature."""
    members: NDArray[np.int64]
    """(N,) product positions, those of signature 0 first."""

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def starts(self) -> NDArray[np.int64]:
        """(S,) where each signature's products begin in `members`."""
        return np.cumsum(self.counts) - self.counts


def group_signatures(products: Labels) -> Signatures:
    """Group N products that are alike in vertical and all attributes."""
    rows = np.column_stack([products.verticals, products.codes])
    _, first, inverse, counts = np.unique(rows, axis=0, return_index=True, return_inverse=True, return_counts=True)
    members = np.argsort(inverse.ravel(), kind="stable")
    return Signatures(products.take(first), counts.astype(np.int64), members.astype(np.int64))


def pair_levels(signatures: Signatures, rows: slice, settings: MiningSettings) -> NDArray[np.int8]:
    """(R, S) levels between the R signatures of `rows` and all S."""
    everyone = np.arange(len(signatures))
    return levels_between(
        signatures.labels.take(everyone[rows, None]), signatures.labels.take(everyone[None, :]), settings
    )


def pairs_per_level(
    signatures: Signatures, rows: slice, levels: NDArray[np.int8], level_count: int
) -> NDArray[np.int64]:
    """(level_count + 1,) ordered pairs of different products with their anchor in `rows`; the last is UNDEFINED."""
    ours, theirs = signatures.counts[rows], signatures.counts
    pairs = np.array([ours @ (levels == level) @ theirs for level in (*range(level_count), UNDEFINED)])
    own = levels[np.arange(len(ours)), np.arange(len(theirs))[rows]]
    np.subtract.at(pairs, own, ours)  # a product paired with itself; UNDEFINED, -1, is the last place
    return pairs
