"""Intervals cover what they promise, and near-duplicates do not narrow them."""

import numpy as np
import pytest

from lookalike.errors import EvaluationError
from lookalike.evaluation import bootstrap


def resample(clusters: np.ndarray, seed: int = 0, repeats: int = 400) -> bootstrap.Resamples:
    return bootstrap.draw_resamples(clusters, repeats, 0.95, seed)


def test_intervals_cover_the_true_mean_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        values = (rng.random(150) < 0.3).astype(float)
        low, high = bootstrap.estimate_mean(values, resample(np.arange(150), trial)).interval
        covered += low <= 0.3 <= high
    assert 0.91 <= covered / 300 <= 0.98  # 0.95 within three standard errors of 300 trials, percentile bias down


def test_copies_of_a_query_do_not_narrow_its_interval() -> None:
    rng = np.random.default_rng(3)
    values = rng.random(60)
    single = bootstrap.estimate_mean(values, resample(np.arange(60)))
    copied = bootstrap.estimate_mean(np.repeat(values, 10), resample(np.repeat(np.arange(60), 10)))
    naive = bootstrap.estimate_mean(np.repeat(values, 10), resample(np.arange(600)))
    assert copied.interval == pytest.approx(single.interval)
    assert width(naive) < 0.5 * width(single)


def test_one_replicate_is_the_mean_of_the_drawn_queries() -> None:
    values = np.array([1.0, 2.0, np.nan, 8.0, 5.0])
    drawn = resample(np.array([7, 7, 9, 9, 4]))
    replicates = bootstrap.replicate_means(values[:, None], drawn)[:, 0]
    for weights, replicate in zip(drawn.weights[:20], replicates, strict=False):
        chosen = np.repeat(values, weights.astype(int)[drawn.cluster])
        chosen = chosen[~np.isnan(chosen)]
        assert replicate == pytest.approx(chosen.mean() if len(chosen) else np.nan, nan_ok=True)


def test_the_same_seed_draws_the_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(5).random(50)
    intervals = [bootstrap.estimate_mean(values, resample(np.arange(50), seed)).interval for seed in (1, 1, 2)]
    assert intervals[0] == intervals[1] != intervals[2]


def test_skipped_queries_are_not_counted() -> None:
    found = bootstrap.estimate_mean(np.array([1.0, np.nan, 0.0, np.nan]), resample(np.arange(4)))
    assert (found.value, found.n) == (0.5, 2)


def test_nothing_is_claimed_about_the_spread_of_a_single_cluster() -> None:
    found = bootstrap.estimate_mean(np.array([1.0, 0.0, np.nan]), resample(np.array([5, 5, 6])))
    assert (found.value, found.n, found.interval) == (0.5, 2, None)
    unknown = bootstrap.estimate_mean(np.array([np.nan, np.nan]), resample(np.arange(2)))
    assert (unknown.value, unknown.n, unknown.interval) == (None, 0, None)


def test_pairing_removes_what_both_models_find_hard() -> None:
    rng = np.random.default_rng(8)
    hardness = rng.random(200)
    champion, challenger = hardness, hardness + 0.02
    paired = bootstrap.estimate_difference(challenger, champion, resample(np.arange(200)))
    assert paired.value == pytest.approx(0.02)
    assert width(paired) < 1e-6 < width(bootstrap.estimate_mean(challenger, resample(np.arange(200))))


def test_a_ratio_divides_the_means_of_the_same_queries() -> None:
    trained, baseline = np.array([0.5, 1.0, np.nan, 0.9]), np.array([0.25, 0.5, 0.1, 0.45])
    found = bootstrap.estimate_ratio(trained, baseline, resample(np.arange(4)))
    assert (found.value, found.n) == (pytest.approx(2.0), 3)
    assert found.interval == pytest.approx((2.0, 2.0))
    assert bootstrap.estimate_ratio(trained, np.zeros(4), resample(np.arange(4))).value is None


def test_different_numbers_of_queries_cannot_be_paired() -> None:
    with pytest.raises(EvaluationError, match="the same queries, not 3 and 2"):
        bootstrap.estimate_difference(np.zeros(3), np.zeros(2), resample(np.arange(3)))
    with pytest.raises(EvaluationError, match="no queries"):
        resample(np.array([]))


def width(estimate: bootstrap.Estimate) -> float:
    assert estimate.interval is not None
    return estimate.interval[1] - estimate.interval[0]
