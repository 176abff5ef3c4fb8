"""Evidently's statistics, what its defaults do, and what ours do with them."""

import numpy as np
import pandas as pd
import pytest

from monitoring.calibration import calibrate, random_splits
from monitoring.detectors import ClassifierDetector, Detector, MmdDetector
from monitoring.evidently_api import evidently_module
from monitoring.settings import DriftSettings
from tests.monitoring.shop import World

WORLD = World(3)


def test_evidently_s_mmd_default_fires_on_clean_windows_and_ours_does_not() -> None:
    """Evidently 0.7.23 compares with the 5th percentile of its null: should this fail, the bug was fixed."""
    reference = WORLD.vectors(200, 1)
    default = evidently_module("evidently.metrics.embeddings").MMDDriftMethod(bootstrap=True)
    detector = MmdDetector()
    threshold = calibrate(detector, reference, 100, DriftSettings(draws=199)).threshold
    clean = [WORLD.vectors(100, seed) for seed in range(10, 20)]
    theirs = [bool(default(pd.DataFrame(window), pd.DataFrame(reference))[1]) for window in clean]
    ours = [detector.score(reference, window) > threshold for window in clean]
    assert sum(theirs) >= 9
    assert sum(ours) <= 2


def test_evidently_s_fixed_mmd_threshold_misses_a_shift_of_one_deviation() -> None:
    reference, shifted = WORLD.vectors(400, 1), WORLD.vectors(400, 2, shift=1.0)
    default = evidently_module("evidently.metrics.embeddings").MMDDriftMethod()
    detector = MmdDetector()
    assert not default(pd.DataFrame(shifted), pd.DataFrame(reference))[1]
    assert detector.score(reference, shifted) > calibrate(detector, reference, 400, DriftSettings()).threshold


def test_evidently_s_classifier_writes_into_the_frames_it_is_given() -> None:
    """The reason why ours get copies: should this fail, the copies can go."""
    frames = [pd.DataFrame(WORLD.vectors(50, seed)).rename(columns=str) for seed in (1, 2)]
    evidently_module("evidently.metrics.embeddings").ModelDriftMethod()(*frames)
    assert all("target" in frame for frame in frames)


@pytest.mark.parametrize("detector", [MmdDetector(), ClassifierDetector()], ids=lambda detector: detector.name)
def test_the_vectors_are_never_written_to(detector: Detector) -> None:
    reference, current = WORLD.vectors(80, 1), WORLD.vectors(60, 2)
    before = reference.copy(), current.copy()
    detector.score(reference, current)
    detector.split_scores(reference, random_splits(80, 30, 3, np.random.default_rng(0)))
    np.testing.assert_array_equal(reference, before[0])
    np.testing.assert_array_equal(current, before[1])


def test_the_splits_of_one_kernel_score_as_evidently_scores_them_one_by_one() -> None:
    reference = WORLD.vectors(300, 1)
    splits = random_splits(300, 100, 20, np.random.default_rng(0))
    together = MmdDetector().split_scores(reference, splits)
    one_by_one = [MmdDetector().score(reference[~split], reference[split]) for split in splits]
    # Evidently takes the bandwidth anew for every split, and shows a negative score as zero
    spread = np.abs(together).max()
    np.testing.assert_allclose(np.maximum(together, 0), one_by_one, atol=0.01 * spread)


def test_the_classifier_scores_a_half_without_drift_and_more_with() -> None:
    detector, reference = ClassifierDetector(), WORLD.vectors(400, 1)
    assert abs(detector.score(reference, WORLD.vectors(400, 2)) - 0.5) < 0.1
    assert detector.score(reference, WORLD.vectors(400, 2, shift=1.0)) > 0.6
