"""The law of scores without drift: a gamma distribution with their mean and variance.

Sums of squared differences of means are nearly gamma (Welch 1938, Satterthwaite 1946). The law only puts streams of
different kinds on one scale, far tails included; every threshold is read off real cuts, so its errors cost power and
never the stated rate.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from lookalike.config import StrictConfig

MOST = 300.0
"""Powers of ten at which surprise ends; floating point ends there."""


class Law(StrictConfig):
    """A gamma distribution."""

    shape: float
    scale: float

    def surprise(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """-log10 of the p-values of (B,) scores."""
        return powers_of_ten(gamma.sf(np.maximum(scores, 0.0), self.shape, scale=self.scale))


def fitted(scores: NDArray[np.float64]) -> Law:
    """The law with the mean and variance of (B,) scores; scores that are all equal get a law that is as narrow."""
    mean, variance = max(float(scores.mean()), 1e-12), max(float(scores.var()), 1e-12)
    return Law(shape=mean**2 / variance, scale=variance / mean)


def powers_of_ten(p: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """-log10 of p-values; what is beyond floating point ends at MOST, what is beyond one is no surprise."""
    return -np.log10(np.clip(p, 10**-MOST, 1.0))
