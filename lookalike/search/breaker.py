"""A circuit breaker: a part that keeps failing is not asked for a while, then asked once, then trusted again.

Closed, open and half-open are those of Nygard, "Release It!" (chapter 5). Written here because the libraries decide by
the exception alone: they would let a caller with a tiny deadline open the circuit for everybody.
"""

import threading
import time
from typing import Literal

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.deadline import Clock

State = Literal["closed", "open", "half-open"]
Verdict = Literal["answered", "failed", "unknown"]
"""What one call says of the part; unknown where it was cut short for reasons of its caller."""


class BreakerSettings(StrictConfig):
    """When a part is given up, and for how long."""

    failures: int = Field(default=5, ge=1)
    """Calls in a row that fail before the circuit opens; one that answers sets the count back."""
    open_seconds: float = Field(default=1.0, gt=0)
    """How long it stays open; then one call tries, and recovery takes no longer than this."""


class Breaker:
    """The state of one part: `admit` before a call, and `report` exactly once after every call admitted."""

    def __init__(self, settings: BreakerSettings | None = None, clock: Clock = time.monotonic) -> None:
        self._settings = settings or BreakerSettings()
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0  # in a row
        self._opened: float | None = None
        self._trying = False
        self._era = 0  # changes with the state, so that calls of an earlier one have no say in it

    def admit(self) -> int | None:
        """What to report with, where the part may be asked; None where not. Once open for long enough, one may try."""
        with self._lock:
            if not self._asked_now():
                return None
            if self._opened is not None:
                self._trying = True
                self._era += 1
            return self._era

    def report(self, admitted: int, verdict: Verdict) -> None:
        """Tell how a call that was admitted went."""
        with self._lock:
            if admitted != self._era:
                return
            tried, self._trying = self._trying, False
            if verdict == "answered":
                self._failed = 0
                if tried:
                    self._change(opened=None)
            elif verdict == "failed":
                self._failed += 1
                if tried or self._failed >= self._settings.failures:
                    self._change(opened=self._clock())

    def trust(self) -> None:
        """Somebody else has proven the part: ask it again at once. Calls under way have no say any more."""
        with self._lock:
            self._trying = False
            self._change(opened=None)

    @property
    def state(self) -> State:
        with self._lock:
            if self._opened is None:
                return "closed"
            return "half-open" if self._trying or self._wait() <= 0 else "open"

    def asked_now(self) -> bool:
        """Whether a call would be admitted."""
        with self._lock:
            return self._asked_now()

    def retry_after_seconds(self) -> float:
        """When the part will be asked again; 0 where it is asked now."""
        with self._lock:
            return max(0.0, self._wait()) if self._opened is not None else 0.0

    def _asked_now(self) -> bool:
        return self._opened is None or (not self._trying and self._wait() <= 0)

    def _wait(self) -> float:
        return (self._opened or 0.0) + self._settings.open_seconds - self._clock()

    def _change(self, opened: float | None) -> None:
        self._opened = opened
        self._failed = 0
        self._era += 1
