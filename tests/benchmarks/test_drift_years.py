"""The simulated years: what the figure of false retrains rests on."""

import numpy as np
import pytest

from benchmarks.drift.years import YearsPlan, false_retrains, figures
from monitoring.settings import DecisionSettings


def test_years_in_which_nothing_alarms_retrain_for_age_alone() -> None:
    drift, age = false_retrains(YearsPlan(years=3, alpha=0.0011, draws=999, seed=1))
    assert drift.sum() == 0
    assert age.tolist() == [4, 4, 4]


def test_the_simulation_meets_the_exact_rate_of_two_windows_in_a_row() -> None:
    """With nothing held back, two of two at a known rate fire once in (1 + p) / p^2 windows; then a release follows."""
    rule = DecisionSettings(
        drifted_windows=2, of_windows=2, calm_windows=1, cooldown_days=0, most_retrains=None, max_age_days=None
    )
    plan = YearsPlan(years=40, alpha=0.2, draws=10**9, seed=2, settings=rule)
    drift, _ = false_retrains(plan)
    expected = 365 * 0.2**2 / 1.2
    assert drift.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 40))


def test_the_figure_says_what_was_simulated_and_whether_it_is_reached() -> None:
    figure = figures(YearsPlan(years=5, alpha=0.01, draws=999))["false_retrains_per_year"]
    assert (figure.n, figure.goal) == (5, "<= 1")
    assert "5 years of daily windows without drift, seed 0" in figure.how
    assert "2 of 3 windows" in figure.how


def test_equal_seeds_give_equal_years() -> None:
    first, again = (false_retrains(YearsPlan(years=3, alpha=0.2, draws=99, seed=7))[0] for _ in range(2))
    assert first.tolist() == again.tolist()
