"""Statistics of drift, each a size of the difference between two means of features.

Evidently's verdicts do not hold what they promise on unit vectors (MMD with bootstrap compares with the 5th percentile
of its null, the fixed thresholds find nothing), and its methods take one pair of samples at a time. These are the same
kinds of statistic (kernel two-sample, classifier, per-feature), over all random cuts of a pool at once.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from monitoring.contrasts import Cuts
from monitoring.samples import Sample

Vectors = NDArray[np.float32]
LANDMARKS = 400
"""Places at which the two sides' kernel means are compared; all P of them would cost P/400 times as much."""
WIDTH = 0.35
"""Kernel width in units of the median distance: about as wide as one look. Of 0.2 to 1.4 it found most."""
WHITENING = 0.25
"""An axis of variance v counts v**-0.5 in its square: 0 would be the plain distance of means, 0.5
Hotelling's T squared, which a few hundred axes of little variance drown."""
GRID = 32
"""Quantiles at which two distributions of a number are compared."""
RARE_SHARE, RARE_ROWS = 0.005, 10
"""Below this share, and below so many rows of the reference, a predicted value counts for less: its difference is
divided by at least that. Far below it only the rare values' mass counts, and not into how many of them a larger pool
happens to divide it, so that a small reference can speak for a larger window."""
ROWS_PER_AXIS = 10
"""Rows of the reference behind every principal axis, for the same reason."""
BLOCK = 256
"""Cuts whose differences of means are held at a time."""


class Detector(Protocol):
    """One score per cut of a pool; larger is more drift, and without drift as large at every size."""

    name: str
    """The stream it watches."""
    test: str
    """What it computes."""

    def scores(self, pool: Sample, cuts: Cuts) -> NDArray[np.float64]:
        """(B,) scores of the cuts. Nothing given is written to."""
        ...


class KernelMeans:
    """Squared difference of the sides' kernel means at landmarks out of the pool, Gaussian kernel.

    The mean-embedding form of MMD (Gretton et al., JMLR 2012; Chwialkowski et al., NIPS 2015, section 2), its
    landmarks drawn from both sides alike.
    """

    name, test = "embeddings", "kernel means"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def scores(self, pool: Sample, cuts: Cuts) -> NDArray[np.float64]:
        chosen = np.random.default_rng(self._seed).permutation(len(pool))[:LANDMARKS]
        squared = euclidean_distances(pool.vectors, pool.vectors[chosen], squared=True)  # (P, L)
        apart = squared[squared > 0]
        median = float(np.median(apart)) if len(apart) else 1.0
        kernel = np.exp(squared / np.float32(-2 * WIDTH**2 * median))
        kernel[chosen, np.arange(len(chosen))] = 0  # a landmark is no neighbour of itself: that is noise in small pools
        return _differences(cuts.contrasts(), kernel - kernel.mean(axis=0)) / len(chosen)


class MeanShift:
    """Squared difference of the mean vectors, half whitened: the in-sample strength of a regularised linear classifier.

    Evidently's domain classifier is fitted on one half and judged on the other; with the null at hand nothing needs
    to be held back, which is worth twice the rows.
    """

    name, test = "embeddings, mean", "mean shift"

    def __init__(self, reference_rows: int) -> None:
        self._axes = max(1, reference_rows // ROWS_PER_AXIS)

    def scores(self, pool: Sample, cuts: Cuts) -> NDArray[np.float64]:
        centred = pool.vectors - pool.vectors.mean(axis=0)
        values, axes = np.linalg.eigh(centred.T @ centred / len(centred))  # (D,) ascending, (D, D)
        kept = np.flatnonzero(values > 1e-6 * values[-1])[-self._axes :]
        return _differences(cuts.contrasts(), centred @ (axes[:, kept] / values[kept] ** WHITENING))


class ValueMix:
    """Chi-square of a predicted attribute's values, both sides pooled below the line, rare values damped."""

    test = "value mix"

    def __init__(self, name: str, reference_rows: int) -> None:
        self.name = name
        self._rare = np.float32(max(RARE_SHARE, RARE_ROWS / reference_rows))

    def scores(self, pool: Sample, cuts: Cuts) -> NDArray[np.float64]:
        labels = pool.labels[self.name]
        known = np.array([label is not None for label in labels])
        codes, values = np.unique(labels[known].astype(str), return_inverse=True)[::-1]
        shown = np.zeros((len(codes), len(values)), np.float32)  # (P, C) one-hot
        shown[np.arange(len(codes)), codes] = 1
        return _differences(cuts.contrasts(known), shown, 1 / (shown.mean(axis=0) + self._rare))


class Distribution:
    """Anderson-Darling's weighted gap of two distributions of a number, at quantiles of the pool."""

    test = "distribution"

    def __init__(self, name: str) -> None:
        self.name = name

    def scores(self, pool: Sample, cuts: Cuts) -> NDArray[np.float64]:
        values = pool.numbers[self.name]
        known = np.isfinite(values)
        values = values[known]
        grid = np.unique(np.quantile(values, np.arange(1, GRID) / GRID, method="lower"))
        below = (values[:, np.newaxis] <= grid).astype(np.float32)  # (P, G)
        shares = below.mean(axis=0)
        inner = shares < 1
        spread = shares[inner] * (1 - shares[inner])
        return _differences(cuts.contrasts(known), below[:, inner], 1 / spread) / max(1, inner.sum())


def _differences(
    weights: NDArray[np.float32], features: NDArray[np.float32], scale: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """(B,) sums over (P, F) features of the squared difference of means, each times its scale."""
    found = np.empty(weights.shape[1])
    for start in range(0, len(found), BLOCK):
        difference = weights[:, start : start + BLOCK].T @ features  # (b, F)
        squared = np.square(difference, dtype=np.float64)
        found[start : start + BLOCK] = squared.sum(axis=1) if scale is None else squared @ scale
    return found
