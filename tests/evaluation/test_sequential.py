"""Intervals that may be looked at after every observation hold at all of them."""

import numpy as np

from lookalike.evaluation.sequential import Stream

LEVEL = 0.05


def ever_missed(mean: float, count: int, seed: int) -> bool:
    stream = Stream()
    for value in np.random.default_rng(seed).random(count) < mean:
        stream = stream.seen(float(value), LEVEL)
        low, high = stream.interval(LEVEL)
        if not low <= mean <= high:
            return True
    return False


def test_the_interval_ever_misses_no_more_often_than_it_says() -> None:
    missed = [ever_missed(mean, 600, seed) for mean in (0.02, 0.5) for seed in range(60)]
    assert np.mean(missed) <= LEVEL


def test_the_interval_narrows_to_the_mean() -> None:
    stream = Stream()
    for value in np.random.default_rng(0).random(5000) < 0.1:
        stream = stream.seen(float(value), LEVEL)
    low, high = stream.interval(LEVEL)
    assert low < 0.1 < high
    assert high - low < 0.05


def test_nothing_is_known_before_the_first() -> None:
    assert Stream().interval(LEVEL) == (0.0, 1.0)
    assert Stream().mean is None
