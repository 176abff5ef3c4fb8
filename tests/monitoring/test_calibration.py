"""The threshold keeps its promise: the stated share of false alarms, and power against a planted shift."""

import numpy as np
import pytest
from scipy.stats import binom

from lookalike.errors import ConfigError
from monitoring.calibration import calibrate, random_splits, upper_threshold
from monitoring.detectors import ClassifierDetector, Detector, MmdDetector, find_detector
from monitoring.settings import DriftSettings
from tests.monitoring.shop import World

SETTINGS = DriftSettings(draws=199)


def alarms(
    detector: Detector, m: int, n: int, shift: float, worlds: int, windows: int, settings: DriftSettings = SETTINGS
) -> list[bool]:
    """Verdicts on `windows` windows against each of `worlds` references, everything from fixed seeds."""
    verdicts = []
    for seed in range(worlds):
        world = World(seed)
        reference = world.vectors(m, 1)
        threshold = calibrate(detector, reference, n, settings).threshold
        for window in range(windows):
            verdicts.append(detector.score(reference, world.vectors(n, 100 + window, shift)) > threshold)
    return verdicts


def within_binomial_bounds(count: int, trials: int, probability: float) -> bool:
    low, high = binom.interval(0.99, trials, probability)
    return bool(low <= count <= high)


@pytest.mark.parametrize(("m", "n"), [(400, 200), (300, 300), (120, 60)])
def test_clean_windows_raise_the_stated_share_of_alarms(m: int, n: int) -> None:
    verdicts = alarms(MmdDetector(), m, n, shift=0.0, worlds=20, windows=4)
    assert within_binomial_bounds(sum(verdicts), len(verdicts), SETTINGS.alpha), sum(verdicts)


def test_the_classifier_keeps_the_same_promise() -> None:
    settings = DriftSettings(draws=39)  # it is refitted for every split
    verdicts = alarms(ClassifierDetector(), 200, 100, shift=0.0, worlds=4, windows=10, settings=settings)
    assert within_binomial_bounds(sum(verdicts), len(verdicts), SETTINGS.alpha), sum(verdicts)


def test_a_shift_of_one_deviation_is_always_found() -> None:
    assert all(alarms(MmdDetector(), 400, 200, shift=1.0, worlds=5, windows=4))


def test_half_a_deviation_is_found_nine_times_in_ten() -> None:
    assert np.mean(alarms(MmdDetector(), 600, 600, shift=0.5, worlds=5, windows=4)) >= 0.9


def test_the_threshold_states_the_sizes_it_holds_for() -> None:
    calibration = calibrate(MmdDetector(), World(0).vectors(200, 1), 60, SETTINGS)
    assert (calibration.n_reference, calibration.n_window, calibration.n_split) == (200, 60, 60)
    assert calibration.key != calibrate(MmdDetector(), World(0).vectors(200, 1), 61, SETTINGS).key
    low, high = calibration.false_alarm_interval
    assert low <= calibration.false_alarm_rate <= high


def test_a_window_larger_than_the_reference_is_calibrated_at_half_and_rescaled() -> None:
    calibration = calibrate(MmdDetector(), World(0).vectors(100, 1), 400, SETTINGS)
    same = calibrate(MmdDetector(), World(0).vectors(100, 1), 50, SETTINGS)
    assert calibration.n_split == 50
    np.testing.assert_allclose(calibration.threshold, same.threshold * (1 / 100 + 1 / 400) / (1 / 100 + 1 / 50))


def test_a_score_is_above_the_threshold_exactly_when_its_rank_is_at_most_alpha() -> None:
    calibration = calibrate(MmdDetector(), World(0).vectors(120, 1), 60, SETTINGS)
    for score in [*calibration.null, calibration.threshold, calibration.null[-1] + 1, -1.0]:
        assert (score > calibration.threshold) == (calibration.rank(score) <= SETTINGS.alpha)


def test_the_threshold_is_an_order_statistic_of_the_null() -> None:
    assert upper_threshold(np.arange(1.0, 20.0), alpha=0.05) == 19.0  # 19 draws: only the largest may be beaten
    assert upper_threshold(np.arange(1.0, 100.0), alpha=0.05) == 95.0


def test_every_split_takes_the_window_s_rows_once() -> None:
    splits = random_splits(30, 7, 50, np.random.default_rng(0))
    assert splits.shape == (50, 30)
    assert (splits.sum(axis=1) == 7).all()


def test_equal_seeds_give_equal_calibrations() -> None:
    reference = World(0).vectors(120, 1)
    assert calibrate(MmdDetector(), reference, 60, SETTINGS) == calibrate(MmdDetector(), reference, 60, SETTINGS)


def test_a_reference_too_small_to_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="a reference of 3 rows"):
        calibrate(MmdDetector(), World(0).vectors(3, 1), 50, SETTINGS)


def test_an_unknown_detector_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'mmdd'; accepted: mmd, classifier"):
        find_detector("mmdd")


def test_too_few_draws_for_alpha_are_refused() -> None:
    with pytest.raises(ValueError, match=r"alpha 0\.01 needs at least 100 draws, not 50"):
        DriftSettings(alpha=0.01, draws=50)
