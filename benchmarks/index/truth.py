"""Exact answers, and what share of them a search gives."""

from collections.abc import Sequence

import faiss as installed_faiss
import numpy as np
from numpy.typing import NDArray

from lookalike.index.proof import TIE
from lookalike.index.protocol import Hit


def kth_scores(
    vectors: NDArray[np.float32], queries: NDArray[np.float32], k: int, rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """(Q,) cosine of each query's exact k-th neighbour among the given rows, all of them where None."""
    kept = vectors if rows is None else vectors[rows]
    scores, _ = installed_faiss.knn(queries, kept, min(k, len(kept)), metric=installed_faiss.METRIC_INNER_PRODUCT)
    return scores[:, -1]


def recalls(answers: Sequence[Sequence[Hit]], kth: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """(Q,) share of the exact k that each answer holds; whatever is as close as the k-th counts."""
    found = [sum(hit.score >= least - TIE for hit in hits[:k]) for hits, least in zip(answers, kth, strict=True)]
    return np.array(found) / k


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of a mean."""
    spread = 1.96 * float(values.std(ddof=1)) / np.sqrt(len(values))
    return max(float(values.mean()) - spread, 0.0), min(float(values.mean()) + spread, 1.0)
