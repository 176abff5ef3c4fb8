"""Guardrails judged together: chance stops no good challenger, a real fall stops a bad one."""

import itertools
from statistics import NormalDist

import numpy as np
import pytest

from lookalike.evaluation.bootstrap import draw_resamples
from lookalike.evaluation.guardrails import EXACT, guardrail, holm, judge, sign_flips

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


def few(*differences: float):
    """A figure of which all but a few queries answer as before."""
    champion = np.full(Q, 0.5)
    challenger = champion + np.pad(differences, (0, Q - len(differences)))
    return guardrail("the figure", 0.0, (challenger, champion), RESAMPLES)


@pytest.mark.parametrize(("differences", "chance"), [((-1, -1, -1), 1 / 8), ((-1, -1, 1), 4 / 8), ((-3, 1, -1), 3 / 8)])
def test_of_few_queries_that_differ_every_choice_of_signs_is_counted(
    differences: tuple[float, ...], chance: float
) -> None:
    assert few(*differences).chance == chance
    signs = np.array(list(itertools.product((-1, 1), repeat=len(differences))))  # naively, one by one
    assert sign_flips(np.array(differences, float)) == np.mean(
        [(row * np.abs(differences)).sum() <= sum(differences) for row in signs]
    )


def test_nothing_that_differs_is_no_fall_and_what_differs_in_one_design_is_one_difference() -> None:
    assert few(0.0).chance == 1.0
    one_design = draw_resamples(np.r_[np.zeros(20, int), np.arange(1, Q - 19)], 300, 0.95, 0)
    values = np.full(Q, 0.5)
    fallen = values - np.r_[np.full(20, 0.5), np.zeros(Q - 20)]
    assert guardrail("the figure", 0.0, (fallen, values), one_design).chance == 0.5


def test_with_few_differing_queries_no_more_good_models_are_stopped_than_promised() -> None:
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], (2_000, 4))
    assert np.mean([few(*row).chance <= 0.05 for row in signs]) == 0  # one in sixteen is the surest they can be


def test_the_exact_chance_goes_over_into_the_approximate_one() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        differences = rng.normal(-0.2, 1, EXACT)
        exact = few(*differences).chance
        spread = np.sqrt((differences**2).sum())
        assert exact == pytest.approx(NormalDist().cdf(differences.sum() / spread), abs=0.03)
