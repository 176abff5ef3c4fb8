"""One pool of queries, cut into window and rest in B ways: the one arithmetic behind every score and its null.

A score is a function of the pool and of which rows are the window. Whatever it learns (axes, bandwidth, cells), it
learns from both sides pooled; so the release's reference cut at random and the reference beside a real window are
treated alike, and the scores of random cuts are the null of the real one.
"""

import numpy as np
from numpy.typing import NDArray

Splits = NDArray[np.bool_]
"""(B, P): True puts the row into the window."""


def random_splits(rows: int, window: int, draws: int, rng: np.random.Generator) -> Splits:
    """(B, P) random choices of `window` rows without replacement."""
    order = rng.random((draws, rows), dtype=np.float32).argsort(axis=1)
    return order < window


def window_last(reference: int, window: int) -> Splits:
    """(1, M + N): the one cut of a pool whose first M rows are the reference."""
    return (np.arange(reference + window) >= reference)[np.newaxis]


def contrasts(splits: Splits) -> NDArray[np.float32]:
    """(P, B) weights that turn features into the window's mean minus the rest's.

    Scaled by 1/sqrt(1/m + 1/n), so that without drift the difference is as wide at every size. A cut without rows on
    one side has no difference: its weights are zero.
    """
    n = splits.sum(axis=1)  # (B,)
    m = splits.shape[1] - n
    both = (n > 0) & (m > 0)
    n, m = np.where(both, n, 1), np.where(both, m, 1)
    scale = np.where(both, np.sqrt(n * m / (n + m)), 0.0)
    return np.where(splits, (scale / n)[:, np.newaxis], (-scale / m)[:, np.newaxis]).astype(np.float32).T
