"""Guards: which failures speak against a part, and what a caller is told of them."""

import pytest

from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable, DeadlineExceeded, QueryError
from lookalike.search.breaker import Breaker, BreakerSettings
from lookalike.search.guard import Guard
from tests.clocks import HandClock

ADDRESS = "milvus.internal:19530"


class Part:
    """Takes some seconds of the clock, then answers or fails; ends at the deadline in force as a client would."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.seconds = 0.0
        self.error: Exception | None = None
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        given = Deadline.current().within(self.seconds)
        self.clock.pass_seconds(given)
        if given < self.seconds:
            raise BackendUnavailable(f"{ADDRESS} does not answer within {given} s")
        if self.error is not None:
            raise self.error
        return "answer"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def part(clock: HandClock) -> Part:
    return Part(clock)


@pytest.fixture
def guard(clock: HandClock) -> Guard:
    return Guard("the index", Breaker(BreakerSettings(failures=2, open_seconds=5.0), clock), 2.0)


def ask(guard: Guard, part: Part, seconds: float = 10.0) -> str:
    with Deadline.after(seconds, part.clock).in_force():
        return guard.ask(part)


def test_an_outage_names_the_part_and_not_its_address(guard: Guard, part: Part) -> None:
    part.error = BackendUnavailable(f"{ADDRESS} refused the connection")
    with pytest.raises(BackendUnavailable, match=ADDRESS) as outage:
        ask(guard, part)
    assert ADDRESS not in outage.value.told and "the index does not answer" in outage.value.told
    assert outage.value.retry_after_seconds is not None and outage.value.retry_after_seconds >= 1


def test_an_open_circuit_answers_at_once_and_says_when_to_come_back(guard: Guard, part: Part) -> None:
    part.error = BackendUnavailable("down")
    for _ in range(2):
        with pytest.raises(BackendUnavailable):
            ask(guard, part)
    part.error = None
    part.clock.pass_seconds(1.0)
    with pytest.raises(BackendUnavailable) as refusal:
        ask(guard, part)
    assert (part.asked, refusal.value.retry_after_seconds) == (2, 4.0)
    part.clock.pass_seconds(4.0)
    assert ask(guard, part) == "answer"
    assert guard.breaker.state == "closed"


def test_a_slow_part_is_cut_at_its_own_limit_and_counts_as_failing(guard: Guard, part: Part) -> None:
    part.seconds = 60.0
    for _ in range(2):
        started = part.clock()
        with pytest.raises(BackendUnavailable) as slow:
            ask(guard, part)
        assert not isinstance(slow.value, DeadlineExceeded)  # the caller had time left: the part had not
        assert part.clock() - started == 2.0
    assert guard.breaker.state == "open"


def test_impatient_callers_cannot_open_the_circuit(guard: Guard, part: Part) -> None:
    part.seconds = 0.5
    for _ in range(50):
        with pytest.raises(DeadlineExceeded):
            ask(guard, part, seconds=0.001)
    assert ask(guard, part) == "answer"


def test_a_part_that_is_slow_for_everybody_is_found_out_though_callers_give_up_first(guard: Guard, part: Part) -> None:
    part.seconds = 60.0
    for _ in range(2):
        with pytest.raises(DeadlineExceeded):
            ask(guard, part, seconds=1.5)
    assert guard.breaker.state == "open"


def test_refusals_and_bugs_are_passed_on_and_open_nothing(guard: Guard, part: Part) -> None:
    for error in (QueryError("no such field"), RuntimeError("a bug")) * 3:
        part.error = error
        with pytest.raises(type(error)) as raised:
            ask(guard, part)
        assert raised.value is error
    assert guard.breaker.state == "closed"


def test_nothing_is_begun_past_the_deadline_or_for_somebody_who_left(guard: Guard, part: Part) -> None:
    with pytest.raises(DeadlineExceeded):
        ask(guard, part, seconds=0.0)
    gone = Deadline.never()
    gone.abandon()
    with gone.in_force(), pytest.raises(DeadlineExceeded, match="nobody waits"):
        guard.ask(part)
    assert part.asked == 0


def test_what_nobody_waits_for_takes_what_it_takes(guard: Guard, part: Part) -> None:
    part.seconds = 60.0
    assert guard.ask(part) == "answer"
