"""The queue before the threads: who is taken in, who waits, who is refused, and that nothing leaks."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator

import pytest

from lookalike.deadline import Deadline
from lookalike.errors import DeadlineExceeded, Overloaded
from serving.overload import OverloadSettings, SearchQueue
from tests.clocks import HandClock


class Work:
    """Work that waits at a gate; every call says that it was begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.opened = threading.Event()

    def named(self, name: str) -> Callable[[], str]:
        def do() -> str:
            self.begun.append(name)
            assert self.opened.wait(30)
            return name

        return do


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.opened.set()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def queue(clock: HandClock, threads: int = 1, most_waiting: int = 2) -> SearchQueue:
    return SearchQueue(OverloadSettings(threads=threads, most_waiting=most_waiting, headroom=1.0), clock)


def ask(queue: SearchQueue, do: Callable[[], str], deadline: Deadline | None = None) -> "asyncio.Task[str]":
    with (deadline or Deadline.never()).in_force():
        return asyncio.create_task(queue.run(do))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.001)


async def paced(queue: SearchQueue, clock: HandClock, seconds: float) -> None:
    """Let the queue measure one search."""
    await queue.run(lambda: clock.pass_seconds(seconds))
    await until(lambda: not queue.under_way)


def run(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scene())  # type: ignore[arg-type]


def test_as_many_work_as_there_are_threads_and_the_others_wait_in_order(work: Work, clock: HandClock) -> None:
    async def scene() -> None:
        asked = queue(clock, threads=2, most_waiting=4)
        tasks = [ask(asked, work.named(name)) for name in "abcde"]
        await until(lambda: len(work.begun) == 2)
        assert (asked.under_way, asked.waiting, sorted(work.begun)) == (2, 3, ["a", "b"])
        work.opened.set()
        assert await asyncio.gather(*tasks) == list("abcde")
        await until(lambda: not asked.under_way)
        assert (asked.waiting, sorted(work.begun[2:])) == (0, ["c", "d", "e"])

    run(scene)


def test_what_the_queue_does_not_hold_is_refused_with_the_time_measured(work: Work, clock: HandClock) -> None:
    async def scene() -> None:
        asked = queue(clock, most_waiting=2)
        await paced(asked, clock, 3.0)
        tasks = [ask(asked, work.named(name)) for name in "abc"]
        await until(lambda: asked.waiting == 2)
        with pytest.raises(Overloaded, match="2 requests wait already") as refusal:
            asked.refuse_late(Deadline.never())
        assert refusal.value.retry_after_seconds == 9.0  # two wait, one is under way, three seconds each
        work.opened.set()
        await asyncio.gather(*tasks)

    run(scene)


def test_a_request_that_would_be_late_is_refused_though_there_is_room(work: Work, clock: HandClock) -> None:
    async def scene() -> None:
        asked = queue(clock, most_waiting=10)
        await paced(asked, clock, 2.0)
        first = ask(asked, work.named("a"))
        await until(lambda: asked.under_way == 1)
        asked.refuse_late(Deadline.after(4.0, clock))  # two seconds of waiting, two of work
        with pytest.raises(Overloaded, match="to answer it in time"):
            asked.refuse_late(Deadline.after(3.9, clock))
        work.opened.set()
        await first
        asked.refuse_late(Deadline.after(0.1, clock))  # a free thread is worth a try, whatever was measured

    run(scene)


def test_work_that_is_late_when_its_turn_comes_is_never_begun(work: Work, clock: HandClock) -> None:
    async def scene() -> None:
        asked = queue(clock, most_waiting=3)
        await paced(asked, clock, 1.0)
        first = ask(asked, work.named("first"))
        await until(lambda: asked.under_way == 1)
        late = ask(asked, work.named("late"), Deadline.after(5.0, clock))
        patient = ask(asked, work.named("patient"))
        await until(lambda: asked.waiting == 2)
        clock.pass_seconds(4.5)  # half a second is left for a search of more than one
        work.opened.set()
        assert (await first, await patient) == ("first", "patient")
        with pytest.raises(DeadlineExceeded, match="not begun"):
            await late
        assert work.begun == ["first", "patient"]

    run(scene)


def test_a_full_queue_makes_room_by_letting_go_who_cannot_make_it_any_more(work: Work, clock: HandClock) -> None:
    async def scene() -> None:
        asked = queue(clock, most_waiting=2)
        await paced(asked, clock, 1.0)
        first = ask(asked, work.named("first"))
        await until(lambda: asked.under_way == 1)
        hopeless = ask(asked, work.named("hopeless"), Deadline.after(4.0, clock))
        patient = ask(asked, work.named("patient"))
        await until(lambda: asked.waiting == 2)
        clock.pass_seconds(3.5)
        newcomer = ask(asked, work.named("newcomer"))
        with pytest.raises(DeadlineExceeded):
            await hopeless
        work.opened.set()
        assert [await task for task in (first, patient, newcomer)] == ["first", "patient", "newcomer"]

    run(scene)


def test_who_is_cancelled_in_the_queue_leaves_it_and_in_a_thread_is_abandoned(work: Work, clock: HandClock) -> None:
    async def scene() -> None:
        asked, deadline, seen = queue(clock), Deadline.never(), threading.Event()

        def stopping() -> str:
            work.begun.append("stopping")
            while not Deadline.current().abandoned:  # what every step of a search looks at
                seen.wait(0.001)
            seen.set()
            return "nobody hears this"

        running, waiting = ask(asked, stopping, deadline), ask(asked, work.named("waiting"))
        await until(lambda: asked.waiting == 1 and bool(work.begun))
        waiting.cancel()
        running.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        await until(lambda: not asked.under_way)
        assert (seen.is_set(), asked.waiting, work.begun) == (True, 0, ["stopping"])

    run(scene)


def test_an_answer_is_not_waited_for_past_its_deadline_and_its_thread_counts_until_it_is_free(
    work: Work, clock: HandClock
) -> None:
    async def scene() -> None:
        asked = queue(clock)
        with pytest.raises(DeadlineExceeded):
            await ask(asked, work.named("stubborn"), Deadline.after(0.02))
        assert asked.under_way == 1  # a part that does not look at deadlines
        work.opened.set()
        await until(lambda: not asked.under_way)
        assert await ask(asked, work.named("next")) == "next"

    run(scene)


def test_a_thousand_who_come_and_go_leave_nothing_behind(work: Work, clock: HandClock) -> None:
    async def scene() -> None:
        asked = queue(clock, threads=2, most_waiting=5)
        work.opened.set()
        tasks = [ask(asked, work.named(str(n)), Deadline.after(30.0)) for n in range(1000)]
        for task in tasks[::3]:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await until(lambda: not asked.under_way)
        assert asked.waiting == 0
        kinds = {type(end) for end in ends}
        assert kinds <= {str, Overloaded, asyncio.CancelledError} and str in kinds and Overloaded in kinds
        assert await ask(asked, work.named("after")) == "after"

    run(scene)
