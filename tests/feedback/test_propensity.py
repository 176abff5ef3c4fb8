"""Looks and likings are told apart."""

import numpy as np
import pytest

from lookalike.feedback.propensity import estimate_propensities, given_propensities, similarity_bins

LOOKED = np.array([1.0, 0.6, 0.35, 0.2])


def test_planted_looks_are_found_although_liking_falls_with_the_place_too() -> None:
    rng = np.random.default_rng(0)
    scores = np.sort(rng.random((40_000, 4)), axis=1)[:, ::-1]  # best first, as answers are
    clicked = rng.random(scores.shape) < 0.8 * scores * LOOKED
    positions = np.tile(np.arange(4), len(scores))
    found = estimate_propensities(positions, clicked.ravel(), similarity_bins(scores.ravel()))
    assert found == pytest.approx(LOOKED, abs=0.06)


def test_a_place_nobody_clicks_keeps_a_chance() -> None:
    positions, clicked = np.tile([0, 1], 50), np.tile([True, False], 50)
    assert estimate_propensities(positions, clicked, np.zeros(100, np.int64))[1] == pytest.approx(0.02)


def test_bins_are_filled_alike() -> None:
    assert np.bincount(similarity_bins(np.random.default_rng(0).random(1000))).tolist() == pytest.approx(
        [100] * 10, abs=1
    )


def test_given_looks_fall_off_by_their_power() -> None:
    assert given_propensities(3, 1.0) == pytest.approx([1, 1 / 2, 1 / 3])
    assert given_propensities(2, 0.0) == pytest.approx([1, 1])
