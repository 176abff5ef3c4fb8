"""The candidates that no other beats in both recall and speed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(recall: ArrayLike, speed: ArrayLike) -> NDArray[np.bool_]:
    """(C,) true where no other is at least as good in both of the (C,) measures and better in one; larger is better.

    From the best recall down, a candidate is on the front where it is faster than all of better recall, and as fast
    as the fastest of equal recall.
    """
    recalls, speeds = np.asarray(recall, dtype=np.float64), np.asarray(speed, dtype=np.float64)
    front = np.zeros(len(recalls), dtype=bool)
    fastest = -np.inf
    for level in np.unique(recalls)[::-1]:
        equal = recalls == level
        best = speeds[equal].max()
        front |= equal & (speeds == best) & (best > fastest)
        fastest = max(fastest, best)
    return front
