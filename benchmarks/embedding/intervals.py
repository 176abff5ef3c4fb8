"""Intervals over queries and seeds at once.

Every seed answers the same queries, so the two are crossed and both are resampled: whole clusters of queries, shared
by everything that is compared, and seeds, drawn for each arm by itself (the pigeonhole bootstrap, Owen 2007).
With three seeds the spread between seeds is known only roughly and its part in the interval is a third too
small; the number of seeds stands beside every figure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.bootstrap import Estimate, Interval, Resamples, draw_resamples, replicate_means

REPEATS, CONFIDENCE = 2_000, 0.95


@dataclass(frozen=True)
class Sampled:
    """A figure with its bootstrap replicates, so that ratios can be taken replicate by replicate."""

    value: float
    replicates: NDArray[np.float64]
    """(R,)"""
    n: int
    """Queries judged."""

    @property
    def interval(self) -> Interval:
        """NaN where every replicate is."""
        if np.isnan(self.replicates).all():
            return float("nan"), float("nan")
        tail = (1 - CONFIDENCE) / 2
        low, high = np.nanquantile(self.replicates, [tail, 1 - tail])
        return float(low), float(high)

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.value, self.n, self.interval)

    def over(self, other: "Sampled") -> "Sampled":
        """The ratio; NaN replicates where the other's mean is 0."""
        ratios: NDArray[np.float64] = np.full(len(self.replicates), np.nan)
        np.divide(self.replicates, other.replicates, out=ratios, where=other.replicates > 0)
        return Sampled(self.value / other.value if other.value else float("nan"), ratios, self.n)


def query_resamples(groups: NDArray[np.int64]) -> Resamples:
    """The draws of query clusters (Q,) that all figures over the same queries share."""
    return draw_resamples(groups, REPEATS, CONFIDENCE, seed=0)


def seed_draws(seeds: int, stream: int) -> NDArray[np.int64]:
    """(R, S) seeds drawn with replacement; arms get a stream each, for their seeds have nothing in common."""
    return np.random.default_rng([1, stream]).integers(0, seeds, (REPEATS, seeds))


def sampled_mean(values: NDArray[np.float64], resamples: Resamples, stream: int) -> Sampled:
    """Mean over (Q, S) values of Q queries under S seeds, NaN rows skipped."""
    means = replicate_means(values, resamples)  # (R, S)
    drawn = np.take_along_axis(means, seed_draws(values.shape[1], stream), axis=1)  # (R, S)
    judged = ~np.isnan(values).all(axis=1)
    value = float(np.nanmean(values[judged], axis=0).mean()) if judged.any() else float("nan")
    return Sampled(value, drawn.mean(axis=1), int(judged.sum()))


def sampled_macro_f1(said: NDArray[np.int64], wanted: NDArray[np.int64], resamples: Resamples, stream: int) -> Sampled:
    """Macro-F1 over the classes of `wanted` (Q,), -1 unknown and skipped, of what S seeds `said` (Q, S).

    A rare class is missing from many replicates. There it keeps the F1 it has over all queries: left out, the
    hardest classes would be missing most often and the replicates would lie above the figure they belong to.
    """
    known = np.flatnonzero(wanted >= 0)
    classes = int(max(said.max(), wanted.max())) + 1
    seeds = [
        _class_counts(said[known, seed], wanted[known], resamples.cluster[known], classes, resamples)
        for seed in range(said.shape[1])
    ]
    wanted_at_all = np.unique(wanted[known])
    whole = [_f1(counts.sum(axis=1), 0.0)[wanted_at_all] for counts in seeds]
    scores = [
        _f1((resamples.weights @ counts)[:, :, wanted_at_all], f1).mean(axis=1)
        for counts, f1 in zip(seeds, whole, strict=True)
    ]  # S times (R,)
    drawn = np.take_along_axis(np.stack(scores, axis=1), seed_draws(said.shape[1], stream), axis=1)
    return Sampled(float(np.mean(whole)), drawn.mean(axis=1), len(known))


def _class_counts(
    said: NDArray[np.int64],
    wanted: NDArray[np.int64],
    cluster: NDArray[np.int64],
    classes: int,
    resamples: Resamples,
) -> NDArray[np.float32]:
    """(3, G, C) per cluster and class: how often rightly said, said, wanted."""
    counts = np.zeros((3, resamples.weights.shape[1], classes), np.float32)
    right = said == wanted
    for into, at, label in zip(counts, (cluster[right], cluster, cluster), (said[right], said, wanted), strict=True):
        np.add.at(into, (at, label), 1.0)
    return counts


def _f1(counts: NDArray[np.floating], missing: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., C) F1 = 2 right / (said + wanted) from (3, ..., C) counts; `missing`, one or (C,), where none wanted."""
    right, said, wanted = counts
    out = np.array(np.broadcast_to(missing, right.shape), np.float64)
    return np.divide(2 * right, said + wanted, out=out, where=wanted > 0)
