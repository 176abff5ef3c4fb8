"""Means of two streams compared at any moment: intervals that hold at all times at once.

An ordinary interval looked at after every request is wrong sooner or later. These are empirical-Bernstein confidence
sequences for bounded observations: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting"
(JRSS B 2024, arXiv 2010.09686), theorem 2: with probability `confidence` the true mean is inside at every moment.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """What is kept of observations in [0, 1]: fold them in one by one with `seen`, any number of them."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    """Sum of squared distances from the running means, each with its own observation in it."""
    bets: float = 0.0
    """Sum of the weights."""
    weighted: float = 0.0
    """Weighted sum of the observations."""
    spent: float = 0.0
    """What the observations' spread has cost so far."""

    def seen(self, value: float, level: float) -> "Stream":
        """After one more observation. `level` is the chance that the interval ever misses, the same at every call."""
        mean = (0.5 + self.total) / (self.count + 1)  # of the observations before this one
        variance = (0.25 + self.squares) / (self.count + 1)
        n = self.count + 1
        bet = min(math.sqrt(2 * math.log(2 / level) / (variance * n * math.log(1 + n))), 0.5)
        after = (0.5 + self.total + value) / (n + 1)
        return Stream(
            count=n,
            total=self.total + value,
            squares=self.squares + (value - after) ** 2,
            bets=self.bets + bet,
            weighted=self.weighted + bet * value,
            spent=self.spent + (value - mean) ** 2 * (-math.log(1 - bet) - bet),
        )

    def interval(self, level: float) -> tuple[float, float]:
        """Bounds of the mean; all of [0, 1] before the first observation."""
        if not self.count:
            return 0.0, 1.0
        centre = self.weighted / self.bets
        width = (math.log(2 / level) + self.spent) / self.bets
        return max(0.0, centre - width), min(1.0, centre + width)

    @property
    def mean(self) -> float | None:
        """None before the first observation."""
        return self.total / self.count if self.count else None
