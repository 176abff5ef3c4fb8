"""Which queries of a window are least like the reference.

The witness function of MMD is the difference of the two sides' kernel means: large where the window asks for much that
the reference did not (Gretton et al., A kernel two-sample test, JMLR 2012, section 2.3). As Kim et al. choose their
criticisms (Examples are not enough, learn to criticize!, NIPS 2016, section 3.2), its largest values are shown, and
no two that look alike.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from monitoring.detectors import LANDMARKS, WIDTH, Vectors

ALIKE = float(np.exp(-1))
"""Two queries look alike where the kernel is above this: on the fashion photos, cosines above 0.8."""
BLOCK = 512
"""Rows whose distances are held at a time."""


class Kernel:
    """The Gaussian kernel of the detectors: as wide as `WIDTH` of the median distance within both sides."""

    def __init__(self, reference: Vectors, current: Vectors, seed: int) -> None:
        pool = np.concatenate([reference, current])
        chosen = pool[np.random.default_rng(seed).permutation(len(pool))[:LANDMARKS]]
        squared = euclidean_distances(chosen, squared=True)
        apart = squared[squared > 0]
        self._scale = -1 / (2 * WIDTH**2 * float(np.median(apart)) if len(apart) else 1.0)

    def __call__(self, rows: Vectors, others: Vectors) -> NDArray[np.float32]:
        """(Q, N) values, 1 for equal vectors."""
        return np.exp(euclidean_distances(rows, others, squared=True) * np.float32(self._scale))

    def means(self, rows: Vectors, others: Vectors) -> NDArray[np.float64]:
        """(Q,) mean value against all of the others."""
        return np.concatenate([block.mean(axis=1, dtype=np.float64) for block in self._blocks(rows, others)])

    def shares(self, rows: Vectors, others: Vectors) -> NDArray[np.float64]:
        """(Q,) share of the others that look like each row."""
        return np.concatenate([(block > ALIKE).mean(axis=1) for block in self._blocks(rows, others)])

    def _blocks(self, rows: Vectors, others: Vectors) -> Iterator[NDArray[np.float32]]:
        return (self(rows[start : start + BLOCK], others) for start in range(0, len(rows), BLOCK))


def witness(kernel: Kernel, reference: Vectors, current: Vectors) -> NDArray[np.float64]:
    """(N,) witness of each row of the window; a row is no witness of itself."""
    n = len(current)
    own = (kernel.means(current, current) * n - 1) / max(1, n - 1)
    return own - kernel.means(current, reference)


def choose(kernel: Kernel, vectors: Vectors, worth: NDArray[np.float64], most: int) -> list[int]:
    """Up to `most` rows of positive worth, the largest first, none that looks like one before it."""
    left, chosen = worth > 0, list[int]()
    while left.any() and len(chosen) < most:
        best = int(np.argmax(np.where(left, worth, -np.inf)))
        chosen.append(best)
        left &= kernel(vectors[best : best + 1], vectors)[0] <= ALIKE
    return chosen
