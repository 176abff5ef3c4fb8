"""The circuit breaker's states, by a clock that is moved by hand."""

import threading

import pytest

from lookalike.search.breaker import Breaker, BreakerSettings, Verdict
from tests.clocks import HandClock


def breaker(clock: HandClock, failures: int = 3) -> Breaker:
    return Breaker(BreakerSettings(failures=failures, open_seconds=2.0), clock)


def call(asked: Breaker, verdict: Verdict) -> None:
    admitted = asked.admit()
    assert admitted is not None
    asked.report(admitted, verdict)


def opened(clock: HandClock) -> Breaker:
    asked = breaker(clock)
    for _ in range(3):
        call(asked, "failed")
    assert asked.state == "open"
    return asked


def test_it_opens_at_so_many_failures_in_a_row_and_not_before() -> None:
    asked = breaker(HandClock())
    for verdict in ("failed", "failed", "answered", "failed", "unknown", "failed"):
        call(asked, verdict)
        assert asked.state == "closed"
    call(asked, "failed")
    assert (asked.state, asked.admit(), asked.retry_after_seconds()) == ("open", None, 2.0)


def test_calls_cut_short_by_their_callers_never_open_it() -> None:
    asked = breaker(HandClock())
    for _ in range(100):
        call(asked, "unknown")
    assert asked.state == "closed"


def test_after_its_time_exactly_one_caller_tries_and_its_answer_closes_it() -> None:
    clock = HandClock()
    asked = opened(clock)
    clock.pass_seconds(1.5)
    assert (asked.admit(), asked.retry_after_seconds()) == (None, 0.5)
    clock.pass_seconds(0.5)
    assert asked.state == "half-open"
    trial = asked.admit()
    assert trial is not None and [asked.admit() for _ in range(5)] == [None] * 5
    asked.report(trial, "answered")
    assert (asked.state, asked.retry_after_seconds()) == ("closed", 0.0)


@pytest.mark.parametrize(("verdict", "state"), [("failed", "open"), ("unknown", "half-open")])
def test_a_trial_that_fails_opens_it_anew_and_one_without_verdict_lets_the_next_try(
    verdict: Verdict, state: str
) -> None:
    clock = HandClock()
    asked = opened(clock)
    clock.pass_seconds(2.0)
    call(asked, verdict)
    assert asked.state == state
    assert (asked.admit() is None) == (state == "open")


def test_calls_from_before_it_opened_have_no_say_in_the_trial() -> None:
    clock = HandClock()
    asked = breaker(clock)
    early = [asked.admit() for _ in range(5)]
    for admitted in early[:3]:
        asked.report(admitted or 0, "failed")
    clock.pass_seconds(2.0)
    trial = asked.admit()
    asked.report(early[3] or 0, "failed")
    asked.report(early[4] or 0, "answered")
    assert asked.state == "half-open" and asked.admit() is None  # the trial is still under way
    asked.report(trial or 0, "answered")
    assert asked.state == "closed"


def test_a_part_proven_well_elsewhere_is_asked_at_once_whatever_calls_from_before_report() -> None:
    clock = HandClock()
    asked = breaker(clock)
    early = [asked.admit() or 0 for _ in range(6)]
    for admitted in early[:3]:
        asked.report(admitted, "failed")
    assert asked.state == "open"
    asked.trust()
    for admitted in early[3:]:
        asked.report(admitted, "failed")
    assert (asked.state, asked.retry_after_seconds()) == ("closed", 0.0)
    assert [asked.admit() is not None for _ in range(5)] == [True] * 5


def test_a_trial_under_way_does_not_outlive_the_proof() -> None:
    clock = HandClock()
    asked = opened(clock)
    clock.pass_seconds(2.0)
    trial = asked.admit() or 0
    asked.trust()
    asked.report(trial, "failed")
    assert asked.state == "closed" and asked.admit() is not None


def test_of_many_threads_one_is_let_through() -> None:
    clock = HandClock()
    asked = opened(clock)
    clock.pass_seconds(2.0)
    start, admitted = threading.Barrier(16), []

    def knock() -> None:
        start.wait(30)
        admitted.append(asked.admit())

    threads = [threading.Thread(target=knock) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(one is not None for one in admitted) == 1
