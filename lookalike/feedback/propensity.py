"""How likely a place of an answer is looked at: the position-based model, estimated from the log itself.

A click is a look and a liking: P(click) = looked[position] × liked[bin] (Richardson, Dominowska and Ragno, WWW 2007,
section 5; estimated by expectation maximisation as Wang et al., WSDM 2018, section 4.2, with liking by bins of the
model's own similarity instead of a regression). Only ratios of `looked` can be told, so the first place has 1.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 10
"""Bins of similarity, each with as many products shown."""
ROUNDS = 200
LEAST = 0.02
"""Smallest estimate: a place nobody clicks would otherwise make one click worth thousands."""


def similarity_bins(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) bin of each score, equally filled; ties share one."""
    ranks = pd.Series(scores).rank(method="average", pct=True).to_numpy(np.float64)
    return np.minimum((ranks * BINS).astype(np.int64), BINS - 1)


def estimate_propensities(
    positions: NDArray[np.int64], clicked: NDArray[np.bool_], bins: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(K,) chance that a place is looked at, relative to the first, from n products shown.

    Similarity and place are related, since answers are sorted by it; they are told apart because the same similarity
    stands at different places in different answers.
    """
    shown, clicks = np.zeros((2, positions.max(initial=0) + 1, bins.max(initial=0) + 1))
    np.add.at(shown, (positions, bins), 1)
    np.add.at(clicks, (positions, bins), clicked)
    looked, liked = np.full(len(shown), 0.5), np.full(shown.shape[1], 0.5)
    for _ in range(ROUNDS):
        both = np.outer(looked, liked)  # (K, bins)
        unclicked = np.maximum(1 - both, 1e-12)
        seen = clicks + (shown - clicks) * looked[:, None] * (1 - liked) / unclicked
        wanted = clicks + (shown - clicks) * liked * (1 - looked[:, None]) / unclicked
        looked = _share(seen.sum(axis=1), shown.sum(axis=1))
        liked = _share(wanted.sum(axis=0), shown.sum(axis=0))
    return np.clip(looked / max(looked[0], LEAST), LEAST, 1)


def given_propensities(places: int, steepness: float) -> NDArray[np.float64]:
    """(K,) looks that fall off as 1 / place ** steepness, for logs too small to estimate from."""
    return np.maximum((1.0 + np.arange(places)) ** -steepness, LEAST)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
