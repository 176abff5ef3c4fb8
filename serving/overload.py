"""Who is searched for now, who waits, and who is sent away while that is still cheap.

Searches share the processor, so more of them at once make each slower and none faster: eight threads on two cores
answered 190 a second where two answered 225. What is taken in is therefore bounded by time, not by hope: a request that
would be late by the measured pace is refused before its body is read, and one that has become late while it waited is
never begun.
"""

import asyncio
import contextlib
import contextvars
import math
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.deadline import Clock, Deadline
from lookalike.errors import DeadlineExceeded, Overloaded

Result = TypeVar("Result")

RECENT = 0.1
"""Weight of the latest search in the measured pace: the last twenty or so count."""


def _cores() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OverloadSettings(StrictConfig):
    """How much is taken in, and how long anybody waits."""

    threads: int = Field(default_factory=_cores, ge=1)
    """Searches under way at the same time; by default one per core. More help where the model or the index is on
    another machine, since a thread then mostly waits."""
    most_waiting: int = Field(default=64, ge=0)
    """Requests that may wait for a thread; further ones are refused with 429 instead of growing late."""
    most_open: int = Field(default=256, ge=1)
    """Requests open at once over each protocol, those that are still being sent included."""
    answer_seconds: float = Field(default=10.0, gt=0)
    """Longest time for an answer; a caller may ask for less by X-Request-Timeout-Ms or a gRPC deadline."""
    headroom: float = Field(default=1.2, ge=1)
    """A request is taken in where so many times the expected time still is within its deadline."""


@dataclass(frozen=True)
class Waiting:
    """One request without a thread."""

    deadline: Deadline
    turn: "asyncio.Future[None]"


class SearchQueue:
    """A bounded queue before a few threads. Everything but the work itself happens on the event loop."""

    def __init__(self, settings: OverloadSettings, clock: Clock = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="search")
        self._waiting: deque[Waiting] = deque()
        self._running = 0
        self._pace = 0.0  # seconds a search takes, lately
        self._look_again = -math.inf  # when the waiting are looked through again

    @property
    def under_way(self) -> int:
        """Threads at work, for those who left included."""
        return self._running

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def expected_seconds(self) -> float:
        """How long a request that came now would wait for its turn."""
        return 0.0 if self._free() else (len(self._waiting) + 1) * self._pace / self.settings.threads

    def refuse_late(self, deadline: Deadline) -> None:
        """Raise Overloaded for a request that could not be answered in time if it came now."""
        if self._free():
            return
        if len(self._waiting) >= self.settings.most_waiting:
            self._drop_hopeless()
        wait = self.expected_seconds()
        if len(self._waiting) >= self.settings.most_waiting:
            most = len(self._waiting)
            raise Overloaded(f"{most} requests wait already, which is all this server takes; try again", wait)
        if (wait + self._pace) * self.settings.headroom > deadline.remaining():
            raise Overloaded("too many requests are before this one to answer it in time; try again", wait)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do the work in a thread, under the deadline in force, once it is its turn.

        Raises Overloaded where it is not taken in, DeadlineExceeded once the deadline passes, and what the work
        raises. Whoever is cancelled abandons the deadline; the thread counts as busy until the work has noticed.
        """
        deadline = Deadline.current()
        await self._turn(deadline)
        loop, started = asyncio.get_running_loop(), self._clock()

        def left() -> None:
            self._pace += (self._clock() - started - self._pace) * (RECENT if self._pace else 1.0)
            self._leave()

        def tell_loop(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
                loop.call_soon_threadsafe(left)

        working = self._threads.submit(contextvars.copy_context().run, work)
        working.add_done_callback(tell_loop)
        return await _by(deadline, asyncio.wrap_future(working), "the search was under way")

    def close(self) -> None:
        """Finish the work under way."""
        self._threads.shutdown(wait=True)

    async def _turn(self, deadline: Deadline) -> None:
        deadline.check("the search")
        if self._free():
            self._running += 1
            return
        self.refuse_late(deadline)
        waiting = Waiting(deadline, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            await _by(deadline, waiting.turn, "the search waited and was not begun")
        except BaseException:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif waiting.turn.done() and not waiting.turn.cancelled() and waiting.turn.exception() is None:
                self._leave()  # its turn came in the moment it left
            raise

    def _free(self) -> bool:
        return self._running < self.settings.threads and not self._waiting

    def _leave(self) -> None:
        self._running -= 1
        while self._waiting and self._running < self.settings.threads:
            waiting = self._waiting.popleft()
            if waiting.turn.done():
                continue
            if self._hopeless(waiting, 0.0):
                waiting.turn.set_exception(_not_begun())
            else:
                self._running += 1
                waiting.turn.set_result(None)

    def _drop_hopeless(self) -> None:
        """Make room: whoever cannot be answered in time any more is told so now.

        Looks no more often than searches end: under a flood every refusal would otherwise look through the queue.
        """
        if self._clock() < self._look_again:
            return
        self._look_again = self._clock() + self._pace
        kept: deque[Waiting] = deque()
        for waiting in self._waiting:
            if self._hopeless(waiting, len(kept) * self._pace / self.settings.threads):
                if not waiting.turn.done():
                    waiting.turn.set_exception(_not_begun())
            else:
                kept.append(waiting)
        self._waiting = kept

    def _hopeless(self, waiting: Waiting, wait: float) -> bool:
        """By the measured pace; an idle queue takes anybody in, so that a pace of the past refuses nobody for long."""
        return waiting.deadline.remaining() < wait + self._pace


async def _by(deadline: Deadline, future: "asyncio.Future[Result]", what: str) -> Result:
    """The future's result. Raises DeadlineExceeded at the deadline; then, and when cancelled, abandons it."""
    seconds = deadline.remaining()
    try:
        return await asyncio.wait_for(future, None if math.isinf(seconds) else seconds)
    except asyncio.CancelledError:
        deadline.abandon()
        raise
    except TimeoutError as error:
        if future.done() and not future.cancelled():
            raise  # the work's own
        deadline.abandon()
        raise DeadlineExceeded(f"the time for this answer was over while {what}") from error


def _not_begun() -> DeadlineExceeded:
    return DeadlineExceeded("the search waited until it could not be done in time, and was not begun")
