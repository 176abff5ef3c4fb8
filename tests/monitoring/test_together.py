"""What no window shows alone, several show as one; one bad window is not several."""

import numpy as np
import pytest

from monitoring.calibration import calibrate, judge
from monitoring.samples import Sample, pooled
from monitoring.sequence import SequenceRule
from monitoring.settings import DriftSettings
from monitoring.together import LookBack
from tests.monitoring.shop import World, sample

WORLD = World(3, dimension=32)
SETTINGS = DriftSettings(draws=199, proof_draws=0, rule=SequenceRule(together=0.01))
REFERENCE = sample(WORLD, 400, 1)


def windows(*shifts: float, rows: int = 120) -> list[Sample]:
    return [sample(WORLD, rows, 10 + number, shift) for number, shift in enumerate(shifts)]


def naive(reference: Sample, parts: list[Sample]) -> float:
    """The rank of the rows of all parts, in one window of their own calibration."""
    rows = parts[0]
    for part in parts[1:]:
        rows = pooled(rows, part)
    asked = SETTINGS.model_copy(update={"alpha": 0.01})
    calibration = calibrate(reference, len(rows), asked)
    return calibration.rank(judge(calibration, reference, rows, SETTINGS.seed).score)


@pytest.mark.parametrize("shifts", [(0.0, 0.0, 0.0), (0.3, 0.3, 0.3), (0.2, 0.4, 0.6), (0.0, 0.0, 3.0)])
def test_windows_as_one_are_judged_as_a_naive_loop_judges_them(shifts: tuple[float, ...]) -> None:
    three = windows(*shifts)
    found = LookBack(REFERENCE, SETTINGS).judge(three)
    assert found is not None
    assert (found.rows, found.rank) == (360, naive(REFERENCE, three))
    rest = max(naive(REFERENCE, [each for each in three if each is not left_out]) for left_out in three)
    assert found.rank_without == (rest if found.rank <= 0.01 else None)
    assert found.drifted == (found.rank <= 0.01 and rest <= SETTINGS.rule.without_any)


def test_a_shift_too_small_for_any_window_alone_is_found_as_one() -> None:
    three = windows(0.6, 0.6, 0.6)
    calibration = calibrate(REFERENCE, 120, SETTINGS)
    alone = [judge(calibration, REFERENCE, each, SETTINGS.seed).score > calibration.threshold for each in three]
    found = LookBack(REFERENCE, SETTINGS).judge(three)
    assert found is not None
    assert not any(alone)
    assert found.drifted


def test_one_bad_day_is_no_drift_however_bad() -> None:
    found = LookBack(REFERENCE, SETTINGS).judge(windows(0.0, 3.0, 0.0))
    assert found is not None
    assert found.rank <= SETTINGS.rule.together
    assert found.rank_without is not None
    assert found.rank_without > SETTINGS.rule.without_any
    assert not found.drifted


def test_as_many_windows_as_the_rule_asks_for_are_judged_and_none_too_small() -> None:
    back = LookBack(REFERENCE, SETTINGS)
    assert back.judge(windows(3.0, 3.0)) is None
    assert back.judge([*windows(3.0, 3.0), sample(WORLD, 49, 5, 3.0)]) is None
    off = SETTINGS.model_copy(update={"rule": SequenceRule(together=0)})
    assert LookBack(REFERENCE, off).judge(windows(3.0, 3.0, 3.0)) is None


def test_windows_without_drift_are_called_drifted_no_oftener_than_stated() -> None:
    """Of 90 judgements a twentieth, before any window is left out; the same reference makes them come in company."""
    settings = SETTINGS.model_copy(update={"rule": SequenceRule(together=0.05)})
    ranks = []
    for release in range(30):
        back = LookBack(sample(WORLD, 200, 1000 + release), settings)
        for day in range(3):
            found = back.judge([sample(WORLD, 50, 10_000 + 100 * release + 10 * day + n) for n in range(3)])
            assert found is not None
            ranks.append(found.rank)
    assert np.sum(np.array(ranks) <= 0.05) <= 14
    assert 25 <= np.sum(np.array(ranks) <= 0.5) <= 65
