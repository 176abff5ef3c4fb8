"""The moment after which nobody waits for an answer any more.

A deadline is in force for all that happens inside a `with`, like a cancel scope of Trio: a step deep below, such as
one call of a database's client, finds it without every signature in between carrying it.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lookalike.errors import DeadlineExceeded

Clock = Callable[[], float]
"""Seconds from any origin, never going back."""


class Deadline:
    """Handed from step to step of one request: each waits no longer than what remains, and none begins after it.

    Whoever asked may also go away before; then nothing remains at once. May be read from several threads.
    """

    def __init__(self, moment: float, clock: Clock = time.monotonic, abandoned: threading.Event | None = None) -> None:
        """`moment` is a time of `clock`; `abandoned` is set once nobody waits."""
        self.moment = moment
        self.clock = clock
        self._abandoned = abandoned or threading.Event()

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    @classmethod
    def never(cls) -> "Deadline":
        """For work that nobody waits for; it can still be abandoned."""
        return cls(math.inf)

    @classmethod
    def current(cls) -> "Deadline":
        """The deadline in force here; `never` where none is."""
        return _in_force.get() or cls.never()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """What happens inside, in this thread or task and those tasks it starts, sees it as `current`."""
        token = _in_force.set(self)
        try:
            yield
        finally:
            _in_force.reset(token)

    def tightened(self, seconds: float) -> "Deadline":
        """This deadline, or the one that many seconds from now if that is sooner; abandoned together."""
        return Deadline(min(self.moment, self.clock() + seconds), self.clock, self._abandoned)

    def remaining(self) -> float:
        """Seconds left, infinite without an end; 0 once it has passed or nobody waits."""
        return 0.0 if self.abandoned else max(0.0, self.moment - self.clock())

    def within(self, seconds: float) -> float:
        """Seconds a step may take that takes no more than `seconds` by itself."""
        return min(seconds, self.remaining())

    def check(self, what: str) -> None:
        """Raise DeadlineExceeded, naming what was about to begin, once nothing remains."""
        if self.abandoned:
            raise DeadlineExceeded(f"nobody waits for the answer any more; {what} was not begun")
        if not self.remaining():
            raise DeadlineExceeded(f"the time for this answer was over before {what}")

    def abandon(self) -> None:
        """Whoever asked has gone; from now on nothing remains."""
        self._abandoned.set()

    @property
    def endless(self) -> bool:
        return math.isinf(self.moment)

    @property
    def abandoned(self) -> bool:
        return self._abandoned.is_set()


_in_force: ContextVar[Deadline | None] = ContextVar("deadline in force", default=None)
