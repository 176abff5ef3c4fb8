"""Statistics of drift between two sets of vectors: Evidently's own, used as statistics and not as alarms.

Evidently's default verdicts do not hold what they promise on unit vectors (MMD with bootstrap compares
with the 5th percentile of its null), so only the scores are taken; `calibration` makes the verdict.
"""

from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from lookalike.errors import ConfigError
from monitoring.evidently_api import evidently_module

Vectors = NDArray[np.float32]
SAMPLE_FOR_BANDWIDTH = 1000
"""Rows behind the kernel's median bandwidth, as in Evidently."""


class Detector(Protocol):
    """A score of drift whose null shrinks towards `centre` as the sets grow."""

    name: str
    centre: float
    """Expected score without drift."""

    def score(self, reference: Vectors, current: Vectors) -> float:
        """Larger is more drift. reference (M, D), current (N, D); neither is changed."""
        ...

    def spread(self, n_reference: int, n_current: int) -> float:
        """How wide the null is at these sizes, up to a constant factor."""
        ...

    def split_scores(self, reference: Vectors, splits: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores of the reference split against itself. splits (B, M): True puts the row into the window."""
        ...


class MmdDetector:
    """Squared maximum mean discrepancy, unbiased, Gaussian kernel with the median bandwidth.

    Gretton et al., A kernel two-sample test (JMLR 2012), lemma 6; by its theorem 12 the null is a fixed
    law times (1/M + 1/N).
    """

    name = "mmd"
    centre = 0.0

    def score(self, reference: Vectors, current: Vectors) -> float:
        method = evidently_module("evidently.metrics.embeddings").MMDDriftMethod()
        return float(method(current_emb=pd.DataFrame(current), reference_emb=pd.DataFrame(reference))[0])

    def spread(self, n_reference: int, n_current: int) -> float:
        return 1 / n_reference + 1 / n_current

    def split_scores(self, reference: Vectors, splits: NDArray[np.bool_]) -> NDArray[np.float64]:
        # One kernel serves all splits: B calls of Evidently's method would compute B of them.
        kernel = _gaussian_kernel(reference, splits[0])  # (M, M)
        return _split_mmd(kernel, splits)


class ClassifierDetector:
    """Area under the ROC curve of a linear classifier that tells window from reference, on held-out halves."""

    name = "classifier"
    centre = 0.5

    def score(self, reference: Vectors, current: Vectors) -> float:
        method = evidently_module("evidently.metrics.embeddings").ModelDriftMethod()
        # The method writes a `target` column into its arguments: it gets frames of its own.
        frames = pd.DataFrame(current.copy()), pd.DataFrame(reference.copy())
        for frame in frames:
            frame.columns = frame.columns.astype(str)
        return float(method(current_emb=frames[0], reference_emb=frames[1])[0])

    def spread(self, n_reference: int, n_current: int) -> float:
        return float(np.sqrt(1 / n_reference + 1 / n_current))

    def split_scores(self, reference: Vectors, splits: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.array([self.score(reference[~split], reference[split]) for split in splits])


def find_detector(name: str) -> Detector:
    """A detector by name. Raises ConfigError listing the known ones."""
    known: dict[str, Detector] = {"mmd": MmdDetector(), "classifier": ClassifierDetector()}
    if name not in known:
        raise ConfigError(f"unknown detector '{name}'; accepted: {', '.join(known)}")
    return known[name]


def _gaussian_kernel(vectors: Vectors, split: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(M, M) kernel whose bandwidth is the median distance between the two sides of one split."""
    across = euclidean_distances(vectors[~split][:SAMPLE_FOR_BANDWIDTH], vectors[split][:SAMPLE_FOR_BANDWIDTH])
    squared = euclidean_distances(vectors, squared=True)
    return np.exp(-squared / np.median(across) ** 2, dtype=np.float32)


def _split_mmd(kernel: NDArray[np.float32], splits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The unbiased squared MMD of every split of one pool: MMD2u of Evidently, B at a time."""
    n = splits.sum(axis=1)  # (B,)
    m = len(kernel) - n
    within = splits.T.astype(np.float32)  # (M, B)
    totals = kernel.sum(axis=1, dtype=np.float64)  # (M,)
    current = np.einsum("mb,mb->b", within, kernel @ within, dtype=np.float64)  # sums over window x window
    across = totals @ within - current
    reference = totals.sum() - current - 2 * across
    # the kernel's diagonal is one and stays out of the unbiased means
    return (reference - m) / (m * (m - 1.0)) + (current - n) / (n * (n - 1.0)) - 2 * across / (m * n)
