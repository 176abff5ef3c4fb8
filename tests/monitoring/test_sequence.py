"""Several windows make a finding, and how seldom chance does."""

import numpy as np
import pytest

from lookalike.errors import ConfigError
from monitoring.earlier import windows_before
from monitoring.history import SeenWindow
from monitoring.sequence import SequenceRule, Together, mean_windows_between


def simulated(k: int, m: int, alpha: float, runs: int) -> float:
    rng, waits = np.random.default_rng(0), []
    for _ in range(runs):
        verdicts: list[bool] = []
        while sum(verdicts[-m:]) < k:
            verdicts.append(bool(rng.random() < alpha))
        waits.append(len(verdicts))
    return float(np.mean(waits))


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.5])
def test_one_of_one_waits_for_one_over_alpha(alpha: float) -> None:
    assert mean_windows_between(1, 1, alpha) == pytest.approx(1 / alpha)


def test_two_in_a_row_wait_as_the_textbook_says() -> None:
    alpha = 0.05
    assert mean_windows_between(2, 2, alpha) == pytest.approx((1 + alpha) / alpha**2)


@pytest.mark.parametrize(("k", "m", "alpha"), [(2, 3, 0.2), (3, 5, 0.3), (2, 6, 0.1)])
def test_the_computed_wait_is_the_simulated_one(k: int, m: int, alpha: float) -> None:
    assert simulated(k, m, alpha, runs=4_000) == pytest.approx(mean_windows_between(k, m, alpha), rel=0.06)


def test_the_rule_looks_at_the_last_m_verdicts_only() -> None:
    rule = SequenceRule(k=2, m=3)
    assert not rule.after([True, False, False, True], 0.01).fired
    state = rule.after([True, False, True], 0.01)
    assert state.fired
    assert state.words == (
        "2 of the last 3 windows drifted, 2 of 3 are needed; without drift, and if windows are independent, this comes "
        "once in 837 windows"
    )


def test_both_rules_together_err_at_most_as_often_as_each_adds_up() -> None:
    alone, both = SequenceRule(together=0).after([], 0.01), SequenceRule(together=0.003).after([], 0.01)
    assert alone.mean_windows_between_false_alarms == pytest.approx(mean_windows_between(2, 3, 0.01))
    rates = [1 / state.mean_windows_between_false_alarms for state in (alone, both)]
    assert rates[1] - rates[0] == pytest.approx(0.003)
    single = SequenceRule(k=1, m=1).after([], 0.01)
    assert single.mean_windows_between_false_alarms == pytest.approx(100), "one window alone is judged once"


@pytest.mark.parametrize(("drifted", "verdict"), [(True, "they drifted"), (False, "they did not drift")])
def test_windows_judged_as_one_are_believed_though_none_drifted_alone(drifted: bool, verdict: str) -> None:
    together = Together(rows=300, score=3.0, rank=0.002, rank_without=0.04, drifted=drifted)
    state = SequenceRule().after([False] * 3, 0.01, together)
    assert state.fired is drifted
    assert f"judged as one {verdict} (p = 0.002, 0.001 is needed, p = 0.04 with one left out)" in state.words


def test_a_rule_that_can_never_fire_is_refused() -> None:
    with pytest.raises(ConfigError, match="4 of the last 3 windows can never drift"):
        mean_windows_between(4, 3, 0.05)
    with pytest.raises(ValueError, match="4 of the last 3 windows can never drift"):
        SequenceRule(k=4, m=3)


def seen(first: int, last: int, drifted: bool | None, release: str = "r1") -> SeenWindow:
    times = [f"2026-03-{day:02d}T00:00:00+00:00" for day in (first, last)]
    return SeenWindow(window=f"{first}-{last}", release_id=release, first=times[0], last=times[1], drifted=drifted)


def test_windows_that_share_time_are_one_witness() -> None:
    history = [seen(1, 4, True), seen(3, 6, False), seen(5, 8, True)]
    assert [each.window for each in windows_before(history, "r1", "2026-03-09T00:00:00+00:00")] == ["1-4", "5-8"]
    assert [each.window for each in windows_before(history, "r1", "2026-03-07T00:00:00+00:00")] == ["3-6"]


def test_silence_and_other_releases_are_no_verdicts() -> None:
    history = [seen(1, 2, True, release="r0"), seen(3, 4, None), seen(5, 6, False)]
    assert [each.window for each in windows_before(history, "r1", "2026-03-09T00:00:00+00:00")] == ["5-6"]
