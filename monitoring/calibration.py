"""The threshold of a detector, from the reference's own null: random windows drawn out of the reference.

A reference of M rows cannot lend a window of N rows without shrinking. The splits are therefore made at
the nearest possible size and rescaled to (M, N) by the detector's `spread`; on clustered unit vectors this
meets alpha as the exact permutation test does and keeps its power.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError
from lookalike.storage import digest_bytes, digest_json
from monitoring.detectors import Detector, Vectors
from monitoring.settings import DriftSettings


class Calibration(StrictConfig):
    """A threshold and the sizes it holds for; stored as `calibration.json`."""

    key: str
    """Digest over the reference's vectors, the detector, the sizes and the settings it was made from."""
    detector: str
    """Name of the statistic."""
    alpha: float
    """Stated false-alarm rate."""
    n_reference: int
    """Reference rows the threshold holds for."""
    n_window: int
    """Window rows the threshold holds for."""
    n_split: int
    """Window rows of the random splits, before rescaling."""
    threshold: float
    """A score above it is drift."""
    null: list[float]
    """Sorted scores of windows without drift, rescaled to the sizes above."""
    false_alarm_rate: float
    """Share of as many fresh splits whose score is above the threshold."""
    false_alarm_interval: tuple[float, float]
    """95 % Wilson interval of that share."""

    def rank(self, score: float) -> float:
        """Share of windows without drift that score at least this much: a p-value, never below 1/(draws+1)."""
        return (1 + sum(value >= score for value in self.null)) / (len(self.null) + 1)


def calibration_key(reference: Vectors, n_window: int, settings: DriftSettings) -> str:
    """What a calibration depends on; equal keys give equal calibrations."""
    return digest_json(
        {
            "vectors": digest_bytes(np.ascontiguousarray(reference).tobytes()),
            "shape": reference.shape,
            "window": n_window,
            "settings": settings.model_dump(include={"detector", "alpha", "draws", "seed"}),
        }
    )


def calibrate(detector: Detector, reference: Vectors, n_window: int, settings: DriftSettings) -> Calibration:
    """Find the threshold for windows of `n_window` rows against this reference (M, D)."""
    m = len(reference)
    n_split = min(n_window, m // 2)
    if n_split < 2:
        raise ConfigError(
            f"a reference of {m} rows and a window of {n_window} cannot be calibrated; use 4 and 2 at least"
        )
    splits = random_splits(m, n_split, 2 * settings.draws, np.random.default_rng(settings.seed))
    scale = detector.spread(m, n_window) / detector.spread(m - n_split, n_split)
    scores = detector.centre + scale * (detector.split_scores(reference, splits) - detector.centre)  # (2 * draws,)
    null, fresh = np.sort(scores[: settings.draws]), scores[settings.draws :]
    threshold = upper_threshold(null, settings.alpha)
    alarms = binomtest(int((fresh > threshold).sum()), len(fresh))
    interval = alarms.proportion_ci(method="wilson")
    return Calibration(
        key=calibration_key(reference, n_window, settings),
        detector=detector.name,
        alpha=settings.alpha,
        n_reference=m,
        n_window=n_window,
        n_split=n_split,
        threshold=threshold,
        null=null.tolist(),
        false_alarm_rate=float(alarms.statistic),
        false_alarm_interval=(float(interval.low), float(interval.high)),
    )


def random_splits(rows: int, window: int, draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(B, M) random choices of `window` rows without replacement."""
    order = rng.random((draws, rows)).argsort(axis=1)
    return order < window


def upper_threshold(null: NDArray[np.float64], alpha: float) -> float:
    """The smallest null score that at most alpha of (null and one new window) exceed: rank <= alpha iff above."""
    exceeding = int(alpha * (len(null) + 1))  # how many of the null may be at least as large
    return float(null[-exceeding])
