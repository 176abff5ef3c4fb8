"""Deadlines: what remains, what is in force, what is abandoned."""

import asyncio
import math
import threading

import pytest

from lookalike.deadline import Deadline
from lookalike.errors import DeadlineExceeded
from tests.clocks import HandClock


def test_what_remains_goes_down_to_zero_and_no_further() -> None:
    clock = HandClock()
    deadline = Deadline.after(3.0, clock)
    assert (deadline.remaining(), deadline.within(1.0), deadline.within(9.0)) == (3.0, 1.0, 3.0)
    clock.pass_seconds(2.0)
    deadline.check("a step")
    clock.pass_seconds(2.0)
    assert (deadline.remaining(), deadline.within(1.0)) == (0.0, 0.0)
    with pytest.raises(DeadlineExceeded, match="over before a step"):
        deadline.check("a step")


def test_abandoned_work_has_no_time_left_even_without_a_deadline() -> None:
    endless = Deadline.never()
    assert math.isinf(endless.remaining()) and endless.endless
    endless.abandon()
    assert endless.remaining() == 0.0
    with pytest.raises(DeadlineExceeded, match="nobody waits"):
        endless.check("a step")


def test_a_tightened_deadline_is_the_sooner_one_and_abandoned_with_its_origin() -> None:
    clock = HandClock()
    caller = Deadline.after(3.0, clock)
    assert caller.tightened(1.0).remaining() == 1.0
    part = caller.tightened(9.0)
    assert part.remaining() == 3.0
    caller.abandon()
    assert part.abandoned


def test_a_deadline_is_in_force_inside_its_block_and_for_nobody_else() -> None:
    outer, inner, seen = Deadline.after(3.0), Deadline.after(1.0), []
    with outer.in_force():
        with inner.in_force():
            assert Deadline.current() is inner
        assert Deadline.current() is outer
        other = threading.Thread(target=lambda: seen.append(Deadline.current()))
        other.start()
        other.join()
    assert seen[0].endless and Deadline.current().endless


def test_tasks_inherit_the_deadline_they_were_started_under_and_keep_their_own() -> None:
    async def seen_in_a_task(deadline: Deadline) -> bool:
        async def current() -> Deadline:
            await asyncio.sleep(0)  # the other task runs, under its own
            return Deadline.current()

        with deadline.in_force():
            return await asyncio.create_task(current()) is deadline

    async def both() -> list[bool]:
        return list(await asyncio.gather(*(seen_in_a_task(Deadline.after(s)) for s in (1.0, 2.0))))

    assert asyncio.run(both()) == [True, True]
