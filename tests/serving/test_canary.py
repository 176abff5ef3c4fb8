"""A share of traffic, drawn alike by every replica."""

import pytest

from serving.canary import CanarySettings, arm_of

IDS = [f"{number:032x}" for number in range(4000)]


def share(settings: CanarySettings) -> float:
    return sum(arm_of(name, settings) == "challenger" for name in IDS) / len(IDS)


@pytest.mark.parametrize("wanted", [0.0, 0.05, 0.5, 1.0])
def test_the_share_is_the_one_that_was_asked_for(wanted: float) -> None:
    assert share(CanarySettings(mode="canary", share=wanted)) == pytest.approx(wanted, abs=0.015)


def test_a_request_keeps_its_arm_and_a_larger_share_keeps_whom_it_had() -> None:
    small, large = (CanarySettings(mode="canary", share=part, salt="r1") for part in (0.1, 0.3))
    ours = {name for name in IDS if arm_of(name, small) == "challenger"}
    assert ours == {name for name in IDS if arm_of(name, small) == "challenger"}
    assert ours < {name for name in IDS if arm_of(name, large) == "challenger"}


def test_another_trial_meets_other_requests() -> None:
    one, other = (CanarySettings(mode="canary", share=0.1, salt=salt) for salt in ("r1", "r2"))
    both = sum(arm_of(name, one) == arm_of(name, other) == "challenger" for name in IDS)
    assert both / len(IDS) == pytest.approx(0.01, abs=0.006)


def test_no_mode_sends_nobody_away() -> None:
    assert share(CanarySettings(mode="off", share=1.0)) == 0
