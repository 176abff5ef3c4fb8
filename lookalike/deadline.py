"""The moment after which nobody waits for an answer any more."""

import math
import threading
import time
from collections.abc import Callable

from lookalike.errors import DeadlineExceeded

Clock = Callable[[], float]
"""Seconds from any origin, never going back."""


class Deadline:
    """Handed from step to step of one request: each waits no longer than what remains, and none begins after it.

    Whoever asked may also go away before; then nothing remains at once. May be read from several threads.
    """

    def __init__(self, moment: float, clock: Clock = time.monotonic) -> None:
        """`moment` is a time of `clock`."""
        self.moment = moment
        self.clock = clock
        self._abandoned = threading.Event()

    @classmethod
    def after(cls, seconds: float, clock: Clock = time.monotonic) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    @classmethod
    def never(cls) -> "Deadline":
        """For work that nobody waits for; it can still be abandoned."""
        return cls(math.inf)

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
    def abandoned(self) -> bool:
        return self._abandoned.is_set()
