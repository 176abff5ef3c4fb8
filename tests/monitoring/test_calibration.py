"""The threshold keeps its promise: the stated share of false alarms over all streams, and power against a shift."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from lookalike.errors import ConfigError
from monitoring.calibration import Calibration, calibrate, judge, upper_threshold
from monitoring.samples import Sample
from monitoring.settings import DriftSettings
from tests.monitoring.shop import World, sample

SETTINGS = DriftSettings(alpha=0.05, draws=199, proof_draws=100)


def verdict(reference: Sample, window: Sample, calibration: Calibration) -> bool:
    return judge(calibration, reference, window, SETTINGS.seed).score > calibration.threshold


def alarms(m: int, n: int, shift: float, worlds: int) -> int:
    """Alarms on one window against each of `worlds` references, everything from fixed seeds."""
    found = 0
    for seed in range(worlds):
        reference, window = sample(World(seed), m, 1), sample(World(seed), n, 2, shift)
        found += verdict(reference, window, calibrate(reference, n, SETTINGS))
    return found


@pytest.mark.parametrize(("m", "n"), [(400, 200), (300, 300), (200, 600)])
def test_clean_windows_raise_the_stated_share_of_alarms_over_all_streams_together(m: int, n: int) -> None:
    low, high = binom.interval(0.99, 60, SETTINGS.alpha)
    assert low <= alarms(m, n, shift=0.0, worlds=60) <= high


def test_a_shift_of_half_a_deviation_in_one_of_24_axes_is_found() -> None:
    assert alarms(600, 400, shift=0.5, worlds=10) >= 9


def test_the_threshold_states_the_sizes_it_holds_for() -> None:
    reference = sample(World(0), 200, 1)
    calibration = calibrate(reference, 60, SETTINGS)
    assert (calibration.n_reference, calibration.n_window, calibration.n_split) == (200, 60, 60)
    assert calibration.key != calibrate(reference, 61, SETTINGS).key
    assert calibration.false_alarm_interval is not None
    assert calibration.false_alarm_rate is not None
    low, high = calibration.false_alarm_interval
    assert low <= calibration.false_alarm_rate <= high


def test_a_window_larger_than_the_reference_is_calibrated_on_halves_of_it() -> None:
    calibration = calibrate(sample(World(0), 100, 1), 400, SETTINGS)
    assert calibration.n_split == 50


def test_a_score_is_above_the_threshold_exactly_when_its_rank_is_at_most_alpha() -> None:
    calibration = calibrate(sample(World(0), 120, 1), 60, SETTINGS)
    for score in [*calibration.null, calibration.threshold, calibration.null[-1] + 1]:
        assert (score > calibration.threshold) == (calibration.rank(score) <= SETTINGS.alpha)


def test_the_threshold_of_a_smaller_rate_is_higher() -> None:
    calibration = calibrate(sample(World(0), 120, 1), 60, SETTINGS)
    assert calibration.threshold_at(0.05) == calibration.threshold < calibration.threshold_at(0.01)


def test_the_threshold_is_an_order_statistic_of_the_null() -> None:
    assert upper_threshold(np.arange(1.0, 20.0), alpha=0.05) == 19.0  # 19 draws: only the largest may be beaten
    assert upper_threshold(np.arange(1.0, 100.0), alpha=0.05) == 95.0


def test_streams_that_say_the_same_cost_nothing_more() -> None:
    alone = sample(World(0), 200, 1)
    repeated = replace(alone, numbers=alone.numbers | {f"copy {i}": alone.numbers["margin"] for i in range(20)})
    once, often = (calibrate(reference, 100, SETTINGS) for reference in (alone, repeated))
    assert len(often.streams) == len(once.streams) + 20
    assert often.stream_null == once.stream_null  # Bonferroni would count all of them


def test_a_value_the_reference_never_saw_is_an_alarm_of_its_own() -> None:
    reference, window = sample(World(0), 400, 1), sample(World(0), 200, 2)
    calibration = calibrate(reference, 200, SETTINGS)
    assert "empty_answers" in calibration.constant
    assert not verdict(reference, window, calibration)
    window.numbers["empty_answers"][:12] = 1.0
    assert verdict(reference, window, calibration)


def test_equal_seeds_give_equal_calibrations() -> None:
    reference = sample(World(0), 120, 1)
    assert calibrate(reference, 60, SETTINGS) == calibrate(reference, 60, SETTINGS)


def test_a_reference_too_small_to_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="a reference of 3 rows"):
        calibrate(sample(World(0), 3, 1), 50, SETTINGS)


def test_too_few_draws_for_alpha_are_refused() -> None:
    with pytest.raises(ValueError, match=r"alpha 0\.01 needs at least 100 draws, not 50"):
        DriftSettings(alpha=0.01, draws=50)
