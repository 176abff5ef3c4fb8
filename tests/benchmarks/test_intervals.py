"""Intervals over queries and seeds: against naive loops."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.embedding import intervals


def naive_replicate(
    values: NDArray[np.float64], cluster_weights: NDArray[np.float32], cluster: NDArray[np.int64], seeds: list[int]
) -> float:
    """One resample written out: every drawn seed's mean over every query of every drawn cluster."""
    means = []
    for seed in seeds:
        drawn = [
            values[query, seed]
            for query in range(len(values))
            for _ in range(int(cluster_weights[cluster[query]]))
            if not np.isnan(values[query, seed])
        ]
        means.append(np.mean(drawn))
    return float(np.mean(means))


def test_a_replicate_draws_whole_clusters_and_seeds_as_a_naive_loop_does() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((12, 3))
    values[4] = np.nan  # a query that cannot be judged, under no seed
    resamples = intervals.query_resamples(np.array([3, 3, 3, 1, 1, 5, 6, 7, 7, 8, 9, 9]))
    found = intervals.sampled_mean(values, resamples, stream=2)
    draws = intervals.seed_draws(3, stream=2)
    for turn in range(20):
        naive = naive_replicate(values, resamples.weights[turn], resamples.cluster, list(draws[turn]))
        assert found.replicates[turn] == pytest.approx(naive, abs=1e-6)
    assert found.value == pytest.approx(np.nanmean(values))
    assert found.n == 11


def test_a_ratio_is_taken_within_each_resample_so_shared_difficulty_cancels() -> None:
    rng = np.random.default_rng(1)
    hard = rng.random(200)[:, None]
    resamples = intervals.query_resamples(np.arange(200))
    double, single = intervals.sampled_mean(2 * hard, resamples, 0), intervals.sampled_mean(hard, resamples, 1)
    ratio = double.over(single)
    assert ratio.value == pytest.approx(2)
    assert ratio.interval == pytest.approx((2, 2))
    assert single.interval[1] - single.interval[0] > 0.05


def test_seeds_that_disagree_widen_the_interval() -> None:
    queries = np.random.default_rng(2).random((300, 1)) * 0.1
    resamples = intervals.query_resamples(np.arange(300))
    agreeing = intervals.sampled_mean(np.tile(queries, 3), resamples, 0)
    apart = intervals.sampled_mean(queries + np.array([-0.2, 0.0, 0.2]), resamples, 0)
    assert apart.value == pytest.approx(agreeing.value)
    assert apart.interval[1] - apart.interval[0] > 5 * (agreeing.interval[1] - agreeing.interval[0])


def naive_macro_f1(said: NDArray[np.int64], wanted: NDArray[np.int64]) -> float:
    scores = []
    for label in np.unique(wanted):
        right = int(((said == label) & (wanted == label)).sum())
        precision, recall = right / max(1, int((said == label).sum())), right / int((wanted == label).sum())
        scores.append(2 * precision * recall / (precision + recall) if right else 0.0)
    return float(np.mean(scores))


def test_macro_f1_and_its_replicates_equal_the_definition_on_the_drawn_queries() -> None:
    rng = np.random.default_rng(3)
    wanted = rng.integers(0, 4, 60)
    said = np.where(rng.random((60, 2)) < 0.6, wanted[:, None], rng.integers(0, 5, (60, 2)))
    wanted[:5] = -1  # unknown: asked of nobody
    resamples = intervals.query_resamples(np.repeat(np.arange(20), 3))
    found = intervals.sampled_macro_f1(said, wanted, resamples, stream=0)
    known = wanted >= 0
    assert found.value == pytest.approx(np.mean([naive_macro_f1(said[known, s], wanted[known]) for s in range(2)]))
    draws = intervals.seed_draws(2, stream=0)
    for turn in range(10):
        times = resamples.weights[turn].astype(int)[resamples.cluster] * known
        drawn = np.repeat(np.arange(60), times)
        naive = np.mean([naive_macro_f1(said[drawn, seed], wanted[drawn]) for seed in draws[turn]])
        assert found.replicates[turn] == pytest.approx(naive, abs=1e-6)


def test_classes_missing_from_a_replicate_do_not_lift_it() -> None:
    """Twelve common queries answered rightly, twelve rare classes of one query each answered wrongly."""
    wanted = np.concatenate([np.zeros(12, np.int64), np.arange(1, 13)])
    said = np.zeros((24, 1), np.int64)
    found = intervals.sampled_macro_f1(said, wanted, intervals.query_resamples(np.arange(24)), stream=0)
    low, high = found.interval
    assert low < found.value < high
    assert np.nanmean(found.replicates) == pytest.approx(found.value, abs=0.002)  # left out: a third above it


def test_a_ratio_to_nothing_is_no_number() -> None:
    resamples = intervals.query_resamples(np.arange(4))
    some, none = (intervals.sampled_mean(np.full((4, 1), value), resamples, 0) for value in (0.5, 0.0))
    assert np.isnan(some.over(none).value)
