"""How long each stage of an answer took."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from lookalike.deadline import Clock

Spans = Callable[[str], AbstractContextManager[object]]
"""Tells a trace that a stage of this name begins and ends."""


class Stopwatch:
    """Milliseconds per named stage; a stage timed twice adds up."""

    def __init__(self, clock: Clock = time.perf_counter, spans: Spans | None = None) -> None:
        self._clock = clock
        self._spans = spans
        self._started = clock()
        self._spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = self._clock()
        try:
            if self._spans is None:
                yield
            else:
                with self._spans(name):
                    yield
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + (self._clock() - started) * 1000

    def timings_ms(self) -> dict[str, float]:
        """The stages so far, and `total` since the watch was made."""
        return {**self._spent, "total": (self._clock() - self._started) * 1000}
