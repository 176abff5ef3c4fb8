"""The ceiling that label noise sets, on labels whose noise is known."""

import numpy as np
import pytest

from benchmarks.embedding.ceiling import macro_f1_ceiling, twin_agreement


def test_agreement_is_the_share_of_a_pictures_other_listings_with_the_same_label() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2])
    labels = np.array([5, 5, 6, 7, 7, 5])
    assert twin_agreement(labels, groups) == pytest.approx([0.5, 0.5, 0.0, 1.0, 1.0, np.nan], nan_ok=True)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_the_ceiling_is_what_a_reader_of_the_true_values_scores_against_noisy_labels(noise: float) -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3_000), 2)
    true = np.repeat(rng.integers(0, 12, 3_000), 2)
    wrong = (true + rng.integers(1, 12, 6_000)) % 12
    labels = np.where(rng.random(6_000) < noise, wrong, true)
    ceiling = macro_f1_ceiling(labels, groups, np.arange(12), repeats=200, seed=0)
    assert ceiling is not None
    scores = [
        2 * int(((true == c) & (labels == c)).sum()) / int((true == c).sum() + (labels == c).sum()) for c in range(12)
    ]
    assert ceiling.value == pytest.approx(np.mean(scores), abs=0.015)
    assert ceiling.interval[0] - 0.005 <= np.mean(scores) <= ceiling.interval[1] + 0.005


def test_unknown_labels_say_nothing_about_noise() -> None:
    labels, groups = np.array([3, 3, -1, 3, 4]), np.array([0, 0, 0, 1, 1])
    ceiling = macro_f1_ceiling(labels, groups, np.array([3, 4]), repeats=50, seed=0)
    assert ceiling is not None
    assert (ceiling.listings, ceiling.agreement) == (4, 0.5)


def test_no_picture_with_two_known_labels_gives_no_ceiling() -> None:
    assert macro_f1_ceiling(np.array([1, -1, 2]), np.array([0, 0, 1]), np.array([1, 2]), repeats=50, seed=0) is None
