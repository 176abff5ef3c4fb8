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
    chosen = rng.random((draws, rows), dtype=np.float32).argpartition(window - 1, axis=1)[:, :window]
    splits = np.zeros((draws, rows), dtype=np.bool_)
    np.put_along_axis(splits, chosen, True, axis=1)
    return splits


def window_last(reference: int, window: int) -> Splits:
    """(1, M + N): the one cut of a pool whose first M rows are the reference."""
    return (np.arange(reference + window) >= reference)[np.newaxis]


class Cuts:
    """The ways in which a pool is cut, with the weights that every stream shares."""

    def __init__(self, splits: Splits) -> None:
        self.splits = splits
        self._all: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.splits)

    def contrasts(self, known: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """Contrasts of all rows, or among the `known` ones."""
        if known is not None and not known.all():
            return contrasts(self.splits[:, known])
        if self._all is None:
            self._all = contrasts(self.splits)
        return self._all


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
