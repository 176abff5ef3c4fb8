"""The thresholds of one release, from its reference's own null: random windows cut out of the reference.

A reference of M rows cannot lend a window of N rows without shrinking. The cuts are therefore made at the nearest
possible size; scores are scaled so that without drift they are as large at every size (see `contrasts`).

All streams are corrected together: every cut is scored in every stream, the streams of a family are added up (Fisher's
combination, its null taken from the same cuts because streams move together), and the threshold is that of the most
surprising family (the minimum p-value of Westfall and Young, Resampling-based multiple testing, 1993, section 2.3, with
a share of the rate per family). Bonferroni's count of the streams would cost more the more of them agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError
from lookalike.storage import digest_bytes, digest_json
from monitoring.contrasts import Cuts, random_splits, window_last
from monitoring.null import Law, fitted, powers_of_ten
from monitoring.samples import Sample, pooled
from monitoring.settings import DriftSettings
from monitoring.streams import FAMILIES, comparable, constant_streams, detectors_for, family_of, never_seen

HANDICAP = 20
"""Values never seen may add a twentieth of the stated rate, all such streams together."""


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
    streams: dict[str, Law]
    """Law of every stream's scores without drift."""
    families: dict[str, Law]
    """Law of the sums of their surprises, by family."""
    constant: list[str]
    """Streams of which the reference knows one value only."""
    threshold: float
    """A window whose most surprising family is above it has drifted."""
    null: list[float]
    """Sorted: the most surprising family of every window without drift."""
    stream_null: list[float]
    """Sorted: the most surprising single stream of every window without drift."""
    false_alarm_rate: float | None
    """Share of fresh cuts above the threshold; null where no fresh cuts were made."""
    false_alarm_interval: tuple[float, float] | None
    """95 % Wilson interval of that share."""

    def rank(self, score: float) -> float:
        """Share of windows without drift that score at least this much: a p-value, never below 1/(draws+1)."""
        return _rank(self.null, score)

    def stream_rank(self, surprise: float) -> float:
        """Share of windows without drift in which any stream is at least as surprising."""
        return _rank(self.stream_null, surprise)

    def threshold_at(self, alpha: float) -> float:
        """The threshold of another false-alarm rate."""
        return upper_threshold(np.asarray(self.null), alpha)


@dataclass(frozen=True)
class Judged:
    """One window against a calibrated reference, in powers of ten."""

    score: float
    """The most surprising family, by its share of the rate."""
    families: dict[str, float]
    streams: dict[str, float]
    """-log10 of every stream's own p-value; streams the window has too little of are left out."""


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
    m, draws = len(reference), settings.draws
    n_split = min(n_window, m // 2)
    if n_split < 2:
        raise ConfigError(
            f"a reference of {m} rows and a window of {n_window} cannot be calibrated; use 4 and 2 at least"
        )
    cuts = Cuts(random_splits(m, n_split, draws + settings.proof_draws, np.random.default_rng(settings.seed)))
    scores = {each.name: each.scores(reference, cuts) for each in detectors_for(reference, settings.seed)}
    laws = {name: fitted(values[:draws]) for name, values in scores.items()}
    streams = {name: laws[name].surprise(values) for name, values in scores.items()}  # (draws,) each
    sums = _sums(streams, reference)
    families = {name: fitted(values[:draws]) for name, values in sums.items()}
    most = _most(families, sums)
    null = np.sort(most[:draws])
    threshold = upper_threshold(null, settings.alpha)
    rate, interval = _proof(most[draws:] > threshold)
    return Calibration(
        key=calibration_key(reference, n_window, settings),
        alpha=settings.alpha,
        n_reference=m,
        n_window=n_window,
        n_split=n_split,
        streams=laws,
        families=families,
        constant=constant_streams(reference),
        threshold=threshold,
        null=null.tolist(),
        stream_null=np.sort(np.max([values[:draws] for values in streams.values()], axis=0)).tolist(),
        false_alarm_rate=rate,
        false_alarm_interval=interval,
    )


def judge(calibration: Calibration, reference: Sample, current: Sample, seed: int) -> Judged:
    """Score one window in every stream; `seed` is the calibration's."""
    pool, cut = pooled(reference, current), Cuts(window_last(len(reference), len(current)))
    compared = [each for each in detectors_for(reference, seed) if comparable(current, each.name)]
    streams = {each.name: calibration.streams[each.name].surprise(each.scores(pool, cut)) for each in compared}
    sums = _sums(streams, reference)
    families = {name: float(_weighted(name, calibration.families[name].surprise(sums[name]))[0]) for name in sums}
    new = {name: never_seen(reference, current, name) for name in calibration.constant if comparable(current, name)}
    handicapped = [float(powers_of_ten(p * HANDICAP * len(new))) for p in new.values()]
    told = {name: float(values[0]) for name, values in streams.items()}
    return Judged(
        score=max([0.0, *families.values(), *handicapped]),
        families=families,
        streams=told | {name: float(powers_of_ten(p)) for name, p in new.items()},
    )


def upper_threshold(null: NDArray[np.float64], alpha: float) -> float:
    """The smallest null score that at most alpha of (null and one new window) exceed: rank <= alpha iff above."""
    exceeding = int(alpha * (len(null) + 1))  # how many of the null may be at least as large
    return float(null[-exceeding])


def _rank(null: list[float], value: float) -> float:
    return (1 + len(null) - int(np.searchsorted(null, value, side="left"))) / (len(null) + 1)


def _sums(streams: Mapping[str, NDArray[np.float64]], reference: Sample) -> dict[str, NDArray[np.float64]]:
    """Surprises (B,) added up by family."""
    members: dict[str, list[NDArray[np.float64]]] = {}
    for name, values in streams.items():
        members.setdefault(family_of(name, reference), []).append(values)
    return {family: np.sum(values, axis=0) for family, values in members.items()}


def _weighted(family: str, surprise: NDArray[np.float64]) -> NDArray[np.float64]:
    """A family's surprise, p-values divided by its share of the rate."""
    return np.maximum(surprise + np.log10(FAMILIES[family]), 0.0)


def _most(families: Mapping[str, Law], sums: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.max([_weighted(name, families[name].surprise(values)) for name, values in sums.items()], axis=0)


def _proof(alarms: NDArray[np.bool_]) -> tuple[float | None, tuple[float, float] | None]:
    if not len(alarms):
        return None, None
    test = binomtest(int(alarms.sum()), len(alarms))
    interval = test.proportion_ci(method="wilson")
    return float(test.statistic), (float(interval.low), float(interval.high))
