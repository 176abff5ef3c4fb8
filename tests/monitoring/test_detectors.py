"""The statistics against naive ones, and what Evidently's defaults do beside them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from monitoring.calibration import calibrate, judge
from monitoring.contrasts import Cuts, contrasts, random_splits, window_last
from monitoring.detectors import RARE_SHARE, Detector, Distribution, KernelMeans, MeanShift, ValueMix
from monitoring.evidently_api import evidently_module
from monitoring.samples import Sample, pooled
from monitoring.settings import DriftSettings
from tests.monitoring.shop import World, sample

WORLD = World(3)
DETECTORS: list[Detector] = [KernelMeans(), MeanShift(5000), ValueMix("colour", 5000), Distribution("margin")]
each_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.test)


def test_every_split_takes_the_window_s_rows_once() -> None:
    splits = random_splits(30, 7, 50, np.random.default_rng(0))
    assert splits.shape == (50, 30)
    assert (splits.sum(axis=1) == 7).all()


def test_a_contrast_is_the_window_s_mean_minus_the_rest_s_scaled_by_the_sizes() -> None:
    splits = random_splits(50, 20, 4, np.random.default_rng(0))
    features = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    naive = [(features[cut].mean(axis=0) - features[~cut].mean(axis=0)) / np.sqrt(1 / 20 + 1 / 30) for cut in splits]
    np.testing.assert_allclose(contrasts(splits).T @ features, naive, atol=1e-5)


def test_a_cut_with_an_empty_side_has_no_difference() -> None:
    assert not contrasts(np.array([[True, True, True]])).any()


@each_detector
def test_many_cuts_at_once_score_as_they_do_one_by_one(detector: Detector) -> None:
    pool, splits = sample(WORLD, 90, 1), random_splits(90, 30, 6, np.random.default_rng(0))
    one_by_one = [detector.scores(pool, Cuts(cut[np.newaxis]))[0] for cut in splits]
    np.testing.assert_allclose(detector.scores(pool, Cuts(splits)), one_by_one, rtol=1e-4)


@each_detector
def test_nothing_given_is_written_to(detector: Detector) -> None:
    pool, again = sample(WORLD, 90, 1), sample(WORLD, 90, 1)
    detector.scores(pool, Cuts(random_splits(90, 30, 3, np.random.default_rng(0))))
    np.testing.assert_array_equal(pool.vectors, again.vectors)
    np.testing.assert_array_equal(pool.numbers["margin"], again.numbers["margin"])
    np.testing.assert_array_equal(pool.labels["colour"], again.labels["colour"])


@each_detector
def test_without_drift_scores_are_as_large_at_every_size(detector: Detector) -> None:
    pool, rng = sample(WORLD, 400, 1), np.random.default_rng(0)
    small, large = (detector.scores(pool, Cuts(random_splits(400, size, 300, rng))).mean() for size in (40, 200))
    assert 0.85 < small / large < 1.15


def test_undamped_a_value_mix_is_the_chi_square_of_the_table() -> None:
    pool, cut = sample(WORLD, 300, 1), random_splits(300, 100, 1, np.random.default_rng(0))
    counts = pd.crosstab(cut[0], pool.labels["colour"])
    expected = chi2_contingency(counts, correction=False).statistic
    shares = pd.Series(pool.labels["colour"]).value_counts(normalize=True)
    found = ValueMix("colour", 5000).scores(pool, Cuts(cut))[0]
    assert found == pytest.approx(expected, rel=RARE_SHARE / shares.min() + 1e-3)


def test_missing_values_are_not_values() -> None:
    pool, cut = sample(WORLD, 100, 1), window_last(60, 40)
    pool.numbers["margin"][55:70] = np.nan
    there = np.isfinite(pool.numbers["margin"])
    alone = Distribution("margin").scores(pool.take(there), Cuts(cut[:, there]))
    np.testing.assert_allclose(Distribution("margin").scores(pool, Cuts(cut)), alone)


def shift_of_one() -> tuple[Sample, Sample]:
    return sample(WORLD, 400, 1), sample(WORLD, 400, 2, shift=1.0)


def largest_without_drift(detector: Detector, reference: Sample) -> float:
    return float(detector.scores(reference, Cuts(random_splits(400, 200, 200, np.random.default_rng(0)))).max())


def test_a_shift_of_everything_moves_the_mean() -> None:
    reference, shifted = shift_of_one()
    score = MeanShift(5000).scores(pooled(reference, shifted), Cuts(window_last(400, 400)))[0]
    assert score > 2 * largest_without_drift(MeanShift(5000), reference)


def test_a_few_queries_for_one_new_look_move_the_kernel_means() -> None:
    reference, window = sample(WORLD, 400, 1), sample(WORLD, 400, 2)
    look = WORLD.vectors(1, 5)[0] + 0.05 * np.random.default_rng(0).normal(size=(40, 64))
    window.vectors[:40] = look / np.linalg.norm(look, axis=1, keepdims=True)
    score = KernelMeans().scores(pooled(reference, window), Cuts(window_last(400, 400)))[0]
    assert score > 2 * largest_without_drift(KernelMeans(), reference)


def test_evidently_s_mmd_default_fires_on_clean_windows_and_ours_does_not() -> None:
    """Evidently 0.7.23 compares with the 5th percentile of its null: should this fail, the bug was fixed."""
    reference = sample(WORLD, 200, 1)
    default = evidently_module("evidently.metrics.embeddings").MMDDriftMethod(bootstrap=True)
    calibration = calibrate(reference, 100, DriftSettings(alpha=0.05, draws=199))
    clean = [sample(WORLD, 100, seed) for seed in range(10, 20)]
    frame = pd.DataFrame(reference.vectors)
    theirs = [bool(default(pd.DataFrame(window.vectors), frame)[1]) for window in clean]
    ours = [judge(calibration, reference, window, 0).score > calibration.threshold for window in clean]
    assert sum(theirs) >= 9
    assert sum(ours) <= 2


def test_evidently_s_fixed_mmd_threshold_misses_a_shift_of_one_deviation_that_ours_finds() -> None:
    reference, shifted = shift_of_one()
    default = evidently_module("evidently.metrics.embeddings").MMDDriftMethod()
    assert not default(pd.DataFrame(shifted.vectors), pd.DataFrame(reference.vectors))[1]
    calibration = calibrate(reference, 400, DriftSettings(draws=199))
    assert judge(calibration, reference, shifted, 0).score > calibration.threshold
