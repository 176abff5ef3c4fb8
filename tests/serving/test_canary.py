"""A share of traffic, drawn alike by every replica."""

import pytest

from serving.canary import arm_of

IDS = [f"{number:032x}" for number in range(4000)]


def met(share: float) -> float:
    return sum(arm_of(name, share) == "challenger" for name in IDS) / len(IDS)


@pytest.mark.parametrize("wanted", [0.0, 0.05, 0.5, 1.0])
def test_the_share_is_the_one_that_was_asked_for(wanted: float) -> None:
    assert met(wanted) == pytest.approx(wanted, abs=0.015)


def test_a_request_keeps_its_arm_and_a_larger_share_keeps_whom_it_had() -> None:
    ours = {name for name in IDS if arm_of(name, 0.1, "r1") == "challenger"}
    assert ours == {name for name in IDS if arm_of(name, 0.1, "r1") == "challenger"}
    assert ours < {name for name in IDS if arm_of(name, 0.3, "r1") == "challenger"}


def test_another_trial_meets_other_requests() -> None:
    both = sum(arm_of(name, 0.1, "r1") == arm_of(name, 0.1, "r2") == "challenger" for name in IDS)
    assert both / len(IDS) == pytest.approx(0.01, abs=0.006)


def test_no_share_sends_nobody_away_and_the_whole_one_everybody() -> None:
    assert (met(0.0), met(1.0)) == (0, 1)
