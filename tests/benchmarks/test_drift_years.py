"""The simulated years: what the figure of false retrains rests on."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.drift.lives import Life, recorded
from benchmarks.drift.years import YearsPlan, false_retrains, measure
from benchmarks.results import RESULTS
from lookalike.storage import read_json, write_json
from monitoring.sequence import SequenceRule
from monitoring.settings import DecisionSettings

QUIET = Life((False,) * 30, (False,) * 30)
UNHURRIED = DecisionSettings(calm_windows=1, cooldown_days=0, most_retrains=None, max_age_days=None)


def test_years_in_which_nothing_alarms_retrain_for_age_alone() -> None:
    drift, age = false_retrains(YearsPlan(years=3, lives=[QUIET]))
    assert drift.sum() == 0
    assert age.tolist() == [4, 4, 4]


def test_the_simulation_meets_the_exact_rate_of_two_windows_in_a_row() -> None:
    """With nothing held back, two of two at a known rate fire once in (1 + p) / p^2 windows; then a release follows."""
    rng = np.random.default_rng(2)
    lives = [Life(tuple((rng.random(60) < 0.2).tolist()), (False,) * 60) for _ in range(3000)]
    plan = YearsPlan(years=40, seed=2, settings=UNHURRIED, rule=SequenceRule(k=2, m=2, together=0), lives=lives)
    drift, _ = false_retrains(plan)
    expected = 365 * 0.2**2 / 1.2
    assert drift.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 40))


def test_windows_that_drifted_as_one_retrain_once_for_as_long_as_they_do() -> None:
    life = Life((False,) * 365, tuple(day in (9, 10, 11) for day in range(365)))
    drift, _ = false_retrains(YearsPlan(years=2, lives=[life, life], settings=UNHURRIED))
    assert drift.tolist() == [36, 36], "every release is alarmed by its tenth window and lives no longer"


def test_the_figure_says_what_was_simulated_and_whether_it_is_reached() -> None:
    figure = measure(YearsPlan(years=5, lives=[QUIET]))["false_retrains_per_year"]
    assert (figure.n, figure.goal) == (5, "<= 1")
    assert "5 years of daily windows without drift, seed 0" in figure.how
    assert "2 of 3 windows at 1%, or judged as one at 0.3%" in figure.how


def test_equal_seeds_give_equal_years() -> None:
    alarmed = Life((False,) * 30, tuple(day == 20 for day in range(30)))
    first, again = (false_retrains(YearsPlan(years=3, seed=7, lives=[QUIET, alarmed]))[0] for _ in range(2))
    assert first.tolist() == again.tolist()


def test_the_lives_that_were_measured_are_those_that_are_lived(tmp_path: Path) -> None:
    told = {"lives": {"windows": 5, "lives": {"drifted": [[0, 4], []], "as_one": [[], [2]]}}}
    write_json(tmp_path / "drift_details.json", told)
    first, second = recorded(tmp_path)
    assert first == Life((True, False, False, False, True), (False,) * 5)
    assert second.as_one == (False, False, True, False, False)
    if "lives" in read_json(RESULTS / "drift_details.json"):
        assert len(recorded()) >= 30
