"""The thresholds of one release, from its reference's own null: random windows cut out of the reference.

A reference of M rows cannot lend a window of N rows without shrinking. The cuts are therefore made at the nearest
possible size; scores are scaled so that without drift they are as large at every size (see `contrasts`).

All streams are corrected together: every cut is scored in every stream, and the threshold is that of the most
surprising stream (the minimum p-value of Westfall and Young, Resampling-based multiple testing, 1993, section 2.3).
Streams that move together cost less that way than Bonferroni's count of them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, gamma

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError
from lookalike.storage import digest_bytes, digest_json
from monitoring.contrasts import Splits, random_splits, window_last
from monitoring.detectors import Detector
from monitoring.samples import Sample, pooled
from monitoring.settings import DriftSettings
from monitoring.streams import comparable, constant_streams, detectors_for, never_seen

MOST_SURPRISING = 300.0
"""Powers of ten at which surprise ends; floating point ends there."""


class StreamNull(StrictConfig):
    """A gamma law with the mean and variance of one stream's scores without drift.

    It only sets the streams' say against one another; the threshold is read off real cuts.
    """

    name: str
    """The stream."""
    test: str
    """Its statistic."""
    shape: float
    scale: float

    def surprise(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """-log10 of the p-value of (B,) scores."""
        tail = gamma.sf(np.maximum(scores, 0.0), self.shape, scale=self.scale)
        return -np.log10(np.maximum(tail, 10**-MOST_SURPRISING))


class Calibration(StrictConfig):
    """Thresholds and the sizes they hold for; stored as `calibration.json`."""

    key: str
    """Digest over the reference, the sizes and the settings it was made from."""
    alpha: float
    """Stated false-alarm rate of the whole watch."""
    n_reference: int
    """Reference rows it holds for."""
    n_window: int
    """Window rows it holds for."""
    n_split: int
    """Window rows of the random cuts."""
    streams: list[StreamNull]
    """The streams that are compared."""
    constant: list[str]
    """Streams of which the reference knows one value only."""
    threshold: float
    """A window whose most surprising stream is above it has drifted."""
    null: list[float]
    """Sorted: the most surprising stream of every window without drift, in powers of ten."""
    false_alarm_rate: float | None
    """Share of fresh cuts above the threshold; null where no fresh cuts were made."""
    false_alarm_interval: tuple[float, float] | None
    """95 % Wilson interval of that share."""

    def rank(self, surprise: float) -> float:
        """Share of windows without drift as surprising: a p-value, never below 1/(draws+1)."""
        return (1 + len(self.null) - int(np.searchsorted(self.null, surprise, side="left"))) / (len(self.null) + 1)

    def threshold_at(self, alpha: float) -> float:
        """The threshold of another false-alarm rate."""
        return upper_threshold(np.asarray(self.null), alpha)


def calibration_key(reference: Sample, n_window: int, settings: DriftSettings) -> str:
    """What a calibration depends on; equal keys give equal calibrations."""
    numbers = {name: digest_bytes(values.tobytes()) for name, values in reference.numbers.items()}
    labels = {name: digest_json([str(label) for label in values]) for name, values in reference.labels.items()}
    return digest_json(
        {
            "vectors": digest_bytes(np.ascontiguousarray(reference.vectors).tobytes()),
            "shape": reference.vectors.shape,
            "streams": {**numbers, **labels},
            "window": n_window,
            "settings": settings.model_dump(include={"alpha", "draws", "proof_draws", "seed"}),
        }
    )


def calibrate(reference: Sample, n_window: int, settings: DriftSettings) -> Calibration:
    """Find the threshold for windows of `n_window` rows against this reference. Raises ConfigError below 4 rows."""
    m = len(reference)
    n_split = min(n_window, m // 2)
    if n_split < 2:
        raise ConfigError(
            f"a reference of {m} rows and a window of {n_window} cannot be calibrated; use 4 and 2 at least"
        )
    draws = settings.draws + settings.proof_draws
    splits = random_splits(m, n_split, draws, np.random.default_rng(settings.seed))
    detectors = detectors_for(reference, settings.seed)
    scores = np.stack([detector.scores(reference, splits) for detector in detectors])  # (S, draws)
    laws = [_law(each, column[: settings.draws]) for each, column in zip(detectors, scores, strict=True)]
    most = np.max([law.surprise(column) for law, column in zip(laws, scores, strict=True)], axis=0)
    null, fresh = np.sort(most[: settings.draws]), most[settings.draws :]
    threshold = upper_threshold(null, settings.alpha)
    rate, interval = _proof(fresh > threshold)
    return Calibration(
        key=calibration_key(reference, n_window, settings),
        alpha=settings.alpha,
        n_reference=m,
        n_window=n_window,
        n_split=n_split,
        streams=laws,
        constant=constant_streams(reference),
        threshold=threshold,
        null=null.tolist(),
        false_alarm_rate=rate,
        false_alarm_interval=interval,
    )


def surprises(calibration: Calibration, reference: Sample, current: Sample, seed: int) -> dict[str, float]:
    """Every stream's -log10 p for one window; streams that the window has too little of are left out."""
    pool, cut = pooled(reference, current), window_last(len(reference), len(current))
    laws = {law.name: law for law in calibration.streams}
    found = {
        each.name: _surprise(laws[each.name], each, pool, cut)
        for each in detectors_for(reference, seed)
        if each.name in laws and comparable(current, each.name)
    }
    for name in calibration.constant:
        if comparable(current, name):
            found[name] = -np.log10(max(never_seen(reference, current, name), 10**-MOST_SURPRISING))
    return found


def upper_threshold(null: NDArray[np.float64], alpha: float) -> float:
    """The smallest null score that at most alpha of (null and one new window) exceed: rank <= alpha iff above."""
    exceeding = int(alpha * (len(null) + 1))  # how many of the null may be at least as large
    return float(null[-exceeding])


def _surprise(law: StreamNull, detector: Detector, pool: Sample, cut: Splits) -> float:
    return float(law.surprise(detector.scores(pool, cut))[0])


def _law(detector: Detector, null: NDArray[np.float64]) -> StreamNull:
    mean, variance = float(null.mean()), float(null.var()) or np.finfo(float).tiny
    return StreamNull(name=detector.name, test=detector.test, shape=mean**2 / variance, scale=variance / mean)


def _proof(alarms: NDArray[np.bool_]) -> tuple[float | None, tuple[float, float] | None]:
    if not len(alarms):
        return None, None
    test = binomtest(int(alarms.sum()), len(alarms))
    interval = test.proportion_ci(method="wilson")
    return float(test.statistic), (float(interval.low), float(interval.high))
