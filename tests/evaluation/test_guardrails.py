"""Guardrails judged together: chance stops no good challenger, a real fall stops a bad one."""

import numpy as np
import pytest

from lookalike.evaluation.bootstrap import draw_resamples
from lookalike.evaluation.guardrails import guardrail, holm, judge

Q = 120
RESAMPLES = draw_resamples(np.arange(Q), 300, 0.95, 0)


def rail(fall: float, seed: int, tolerance: float = 0.02):
    """A figure that truly falls by `fall`, seen through queries that differ."""
    rng = np.random.default_rng(seed)
    champion = rng.random(Q)
    return guardrail("the figure", tolerance, (champion - fall + rng.normal(0, 0.3, Q), champion), RESAMPLES)


def test_the_correction_equals_holms_steps() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([]) == []


def test_a_model_as_good_as_the_champion_is_rarely_stopped_by_any_of_twenty_figures() -> None:
    families = [[rail(0.0, 100 * family + figure) for figure in range(20)] for family in range(60)]
    stopped = [any(not verdict.passed for verdict in judge(family, 0.95)) for family in families]
    alone = [any(each.chance < 0.05 and each.difference.value < -0.02 for each in family) for family in families]
    assert np.mean(stopped) <= 0.12  # 5 % are promised; the bound is what 60 families cannot exceed by chance
    assert np.mean(alone) > 0.3


def test_one_figure_that_fell_among_many_is_found_and_told_in_words() -> None:
    verdicts = judge([*(rail(0.0, seed) for seed in range(19)), rail(0.3, 99)], 0.95)
    assert [verdict.passed for verdict in verdicts] == [*[True] * 19, False]
    assert verdicts[-1].reason.startswith("the figure differs from the champion's by -0.2")
    assert "beyond the tolerated -0.020 and not by chance" in verdicts[-1].reason


def test_a_sure_fall_within_the_tolerance_is_tolerated() -> None:
    assert judge([rail(0.3, 1, tolerance=0.5)], 0.95)[0].passed


def test_a_figure_nobody_could_judge_stops_the_challenger() -> None:
    nothing = np.full(Q, np.nan)
    assert not judge([guardrail("the figure", 0.1, (nothing, nothing), RESAMPLES)], 0.95)[0].passed


def test_every_query_falling_alike_is_no_chance() -> None:
    values = np.full(Q, 0.5)
    assert not judge([guardrail("the figure", 0.02, (values - 0.1, values), RESAMPLES)], 0.95)[0].passed
