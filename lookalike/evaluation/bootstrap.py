"""Percentile bootstrap intervals over clusters of queries (Efron & Tibshirani 1993, sections 13.3 and 8.4).

Near-duplicate photos and colour variants of one design answer alike. Resampling whole clusters, the groups
of the split, keeps them from faking precision that a new catalogue would not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import EvaluationError

Interval = tuple[float, float]


@dataclass(frozen=True)
class Resamples:
    """R seeded draws of clusters with replacement; shared by all figures over the same queries."""

    cluster: NDArray[np.int64]
    """(Q,): each query's cluster, 0 to G-1."""
    weights: NDArray[np.float32]
    """(R, G): how often each cluster was drawn."""
    confidence: float


@dataclass(frozen=True)
class Estimate:
    """A mean, difference or ratio with its n and interval."""

    value: float | None
    """None where no query could be judged."""
    n: int
    """Queries behind the value."""
    interval: Interval | None
    """None where fewer than two clusters were judged, so that nothing is known about the spread."""


def draw_resamples(
    clusters: Sequence[int] | NDArray[np.int64], repeats: int, confidence: float, seed: int
) -> Resamples:
    """Draw `repeats` resamples of the queries' clusters (Q,). Raises EvaluationError without queries."""
    if len(clusters) == 0:
        raise EvaluationError("there are no queries to resample; at least one is needed")
    cluster = np.unique(np.asarray(clusters), return_inverse=True)[1].astype(np.int64)  # (Q,)
    groups = int(cluster.max()) + 1
    drawn = np.random.default_rng(seed).integers(0, groups, size=(repeats, groups))  # (R, G)
    drawn += np.arange(repeats)[:, None] * groups  # one bincount for all resamples
    weights = np.bincount(drawn.ravel(), minlength=repeats * groups).reshape(repeats, groups)
    return Resamples(cluster, weights.astype(np.float32), confidence)


def estimate_means(values: NDArray[np.float64], resamples: Resamples) -> list[Estimate]:
    """Means over the queries of F columns (Q, F), NaN skipped, with percentile intervals."""
    replicates = replicate_means(values, resamples)  # (R, F)
    return [_estimate(values[:, f], replicates[:, f], resamples) for f in range(values.shape[1])]


def estimate_mean(values: NDArray[np.float64], resamples: Resamples) -> Estimate:
    """Mean over the (Q,) queries, NaN skipped."""
    return estimate_means(values[:, None], resamples)[0]


def estimate_difference(
    challenger: NDArray[np.float64], champion: NDArray[np.float64], resamples: Resamples
) -> Estimate:
    """Mean of challenger minus champion over the same (Q,) queries; pairing removes what both find hard."""
    return estimate_mean(_same_queries(challenger, champion), resamples)


def estimate_ratio(trained: NDArray[np.float64], baseline: NDArray[np.float64], resamples: Resamples) -> Estimate:
    """Mean of trained over mean of baseline on the same (Q,) queries; None where the baseline's mean is 0."""
    both = np.where(np.isnan(_same_queries(trained, baseline))[:, None], np.nan, np.stack([trained, baseline], axis=1))
    means = replicate_means(both, resamples)  # (R, 2)
    ratios: NDArray[np.float64] = np.full(len(means), np.nan)
    np.divide(means[:, 0], means[:, 1], out=ratios, where=means[:, 1] > 0)
    n = int((~np.isnan(both[:, 0])).sum())
    if n == 0 or np.nanmean(both[:, 1]) == 0:
        return Estimate(None, n, None)
    value = float(np.nanmean(both[:, 0]) / np.nanmean(both[:, 1]))
    return Estimate(value, n, _interval(both[:, 0], ratios, resamples))


def _same_queries(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    if first.shape != second.shape:
        raise EvaluationError(f"paired figures need the same queries, not {len(first)} and {len(second)}")
    return first - second


def replicate_means(values: NDArray[np.float64], resamples: Resamples) -> NDArray[np.float64]:
    """(Q, F) to (R, F): each resample's mean over its judged queries; NaN where it drew none."""
    judged = ~np.isnan(values)
    sums = cluster_sums(np.where(judged, values, 0.0), resamples)  # (G, F)
    counts = cluster_sums(judged.astype(np.float64), resamples)  # (G, F)
    totals, sizes = resamples.weights @ sums, resamples.weights @ counts  # (R, F)
    means: NDArray[np.float64] = np.full(totals.shape, np.nan)
    np.divide(totals, sizes, out=means, where=sizes > 0)
    return means


def cluster_sums(values: NDArray[np.float64], resamples: Resamples) -> NDArray[np.float64]:
    """(Q, F) to (G, F): the sum of each cluster's queries."""
    sums = np.zeros((resamples.weights.shape[1], values.shape[1]))
    np.add.at(sums, resamples.cluster, values)
    return sums


def _estimate(values: NDArray[np.float64], replicates: NDArray[np.float64], resamples: Resamples) -> Estimate:
    judged = ~np.isnan(values)
    if not judged.any():
        return Estimate(None, 0, None)
    return Estimate(float(values[judged].mean()), int(judged.sum()), _interval(values, replicates, resamples))


def _interval(values: NDArray[np.float64], replicates: NDArray[np.float64], resamples: Resamples) -> Interval | None:
    if len(np.unique(resamples.cluster[~np.isnan(values)])) < 2:
        return None
    tail = (1 - resamples.confidence) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail])
    return float(low), float(high)
