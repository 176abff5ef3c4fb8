"""How often one caller may ask: a token bucket."""

import time

from lookalike.deadline import Clock
from lookalike.errors import QuotaSpent


class TokenBucket:
    """Holds up to `burst` requests and gains `per_minute` evenly. Used on one event loop only."""

    def __init__(self, per_minute: float, burst: int, clock: Clock = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._held = float(burst)
        self._filled = clock()

    def take(self) -> None:
        """Spend one request. Raises QuotaSpent, with the seconds until there is one again."""
        now = self._clock()
        self._held = min(self._burst, self._held + (now - self._filled) * self._per_second)
        self._filled = now
        if self._held < 1:
            seconds = (1 - self._held) / self._per_second
            spent = f"the quota of this API key, {self._per_second * 60:g} requests a minute, is spent"
            raise QuotaSpent(spent, seconds)
        self._held -= 1
