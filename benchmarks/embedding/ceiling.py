"""What a perfect reader of photos could at best score, given how often the labels contradict themselves.

Listings that show the same picture (validation's near-duplicate groups) should carry the same label. Let a class
keep its label with probability 1 - e, wrong labels hardly ever agreeing by chance: two listings of one picture then
agree with probability a = (1 - e)², so the perfect reader, who names the true value, agrees with a listing with
probability sqrt(a). Taken per class and averaged, this bounds macro-F1. Pictures wrongly grouped lower the bound: it
errs on the strict side, so a model may come out above it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.bootstrap import Interval

FEWEST = 10
"""Listings with a twin that a class needs to speak for itself; the others take the agreement of all together."""


@dataclass(frozen=True)
class Ceiling:
    """An upper bound on macro-F1 and what it rests on."""

    value: float
    interval: Interval
    """95 %, over resampled groups."""
    listings: int
    """Listings with a known label and at least one twin with a known label."""
    agreement: float
    """Share of their twins that carry the same label."""


def macro_f1_ceiling(
    labels: NDArray[np.int64], groups: NDArray[np.int64], classes: NDArray[np.int64], repeats: int, seed: int
) -> Ceiling | None:
    """The bound for a test set that holds `classes` (C,), from N labels (-1 unknown) and picture groups (N,).

    None where no two listings of one picture have a known label.
    """
    known = labels >= 0
    agreed, counted = _group_sums(labels[known], groups[known], classes)  # both (G, C + 1), the last for all others
    if not counted.sum():
        return None
    rng = np.random.default_rng(seed)
    size = len(counted)
    drawn = [np.bincount(rng.integers(0, size, size), minlength=size) for _ in range(repeats)]
    replicates = [_bound(weights @ agreed, weights @ counted) for weights in drawn]
    low, high = np.quantile(replicates, [0.025, 0.975])
    total, n = agreed.sum(axis=0), counted.sum(axis=0)
    return Ceiling(_bound(total, n), (float(low), float(high)), int(n.sum()), float(total.sum() / n.sum()))


def twin_agreement(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,): share of the other listings of a listing's picture that carry its label; NaN without others."""
    _, group = np.unique(groups, return_inverse=True)
    _, pair = np.unique(np.stack([group, labels]), axis=1, return_inverse=True)
    same, others = np.bincount(pair)[pair] - 1, np.bincount(group)[group] - 1
    agreement: NDArray[np.float64] = np.full(len(labels), np.nan)
    np.divide(same, others, out=agreement, where=others > 0)
    return agreement


def _group_sums(
    labels: NDArray[np.int64], groups: NDArray[np.int64], classes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per group and class: the sum of twin agreements, and how many listings are behind it."""
    agreement = twin_agreement(labels, groups)
    paired = ~np.isnan(agreement)
    _, group = np.unique(groups[paired], return_inverse=True)
    column = np.full(int(max(labels.max(initial=0), classes.max())) + 1, len(classes))
    column[classes] = np.arange(len(classes))
    shape = (int(group.max(initial=-1)) + 1, len(classes) + 1)
    agreed, counted = np.zeros(shape), np.zeros(shape)
    np.add.at(agreed, (group, column[labels[paired]]), agreement[paired])
    np.add.at(counted, (group, column[labels[paired]]), 1.0)
    return agreed, counted


def _bound(agreed: NDArray[np.float64], counted: NDArray[np.float64]) -> float:
    """Mean over the classes of sqrt(agreement)."""
    pooled = agreed.sum() / counted.sum()
    own = np.divide(agreed, counted, out=np.full(len(counted), pooled), where=counted >= FEWEST)
    return float(np.sqrt(own[:-1]).mean())
