"""Which streams a reference can speak for, and what a window did to each of them."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import hypergeom

from lookalike.config import StrictConfig
from monitoring.detectors import Detector, Distribution, KernelMeans, MeanShift, ValueMix
from monitoring.samples import BYTES_PER_PIXEL, PHOTOS, Sample

MIN_VALUES = 20
"""Fewer measured values than this on either side are not compared."""

FAMILIES = {"queries": 0.6, "answers": 0.2, "photos": 0.2}
"""Shares of the false-alarm rate: what is asked for counts most, what photos are like least."""

NEVER_SEEN = "never seen"
TESTS = {
    KernelMeans.name: KernelMeans.test,
    MeanShift.name: MeanShift.test,
    "labels": ValueMix.test,
    "numbers": Distribution.test,
}
"""What is computed of a stream, by its kind."""


def family_of(name: str, sample: Sample) -> str:
    """What a stream tells of: which products are asked for, how well they are answered, or how photos are made."""
    if name in (*PHOTOS, BYTES_PER_PIXEL):
        return "photos"
    return "answers" if name in sample.numbers else "queries"


class StreamResult(StrictConfig):
    """One stream of the window against the reference."""

    name: str
    """Column of the log, an attribute, or the embeddings."""
    family: str
    """The family whose say it has part in: `queries`, `answers` or `photos`."""
    test: str
    """What was computed; `never seen` where the reference has one value only."""
    statistic: float
    """Size of the change, 0 to 1: largest gap of the cumulative shares, half the sum of the shares' changes, or one
    minus the cosine between the mean vectors."""
    p_value: float
    """Of the stream alone, from its own null; small ones by a gamma law fitted to it."""
    p_adjusted: float
    """Share of windows without drift in which any stream is as surprising as this one (Westfall and Young 1993)."""
    moved: bool
    """Whether that share is at most alpha."""
    words: str
    """What changed, for a person."""


def detectors_for(reference: Sample, seed: int) -> list[Detector]:
    """A detector for every stream that the reference has values of, and more than one."""
    found: list[Detector] = [KernelMeans(seed), MeanShift(len(reference))]
    found += [ValueMix(name, len(reference)) for name in reference.labels if _varies(_measured(reference, name))]
    return found + [Distribution(name) for name in reference.numbers if _varies(_measured(reference, name))]


def constant_streams(reference: Sample) -> list[str]:
    """Streams of which the reference knows a single value: what a window brings beside it was never seen."""
    names = [*reference.labels, *reference.numbers]
    return [name for name in names if len(np.unique(values := _measured(reference, name))) == 1 and _enough(values)]


def never_seen(reference: Sample, current: Sample, name: str) -> float:
    """Fisher's exact p-value of so many values unlike the reference's only one."""
    was, now = _measured(reference, name), _measured(current, name) if _holds(current, name) else np.empty(0)
    if not _enough(now):
        return 1.0
    other = int((now != was[0]).sum())
    return float(hypergeom.sf(other - 1, len(was) + len(now), other, len(now))) if other else 1.0


def comparable(current: Sample, name: str) -> bool:
    """Whether the window has values enough of a stream."""
    return name.startswith(KernelMeans.name) or (_holds(current, name) and _enough(_measured(current, name)))


def change(reference: Sample, current: Sample, name: str) -> tuple[float, str]:
    """Size and sentence of a stream's change."""
    if name in reference.labels:
        return _values(name, _measured(reference, name), _measured(current, name))
    if name in reference.numbers:
        return _numbers(name, _measured(reference, name), _measured(current, name))
    return _vectors(name, reference, current)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): adjusted p-values in the order given."""
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted.tolist()


def _holds(sample: Sample, name: str) -> bool:
    return name in sample.labels or name in sample.numbers


def _measured(sample: Sample, name: str) -> np.ndarray:
    """The values of a stream that are there."""
    if name in sample.labels:
        labels = sample.labels[name]
        return labels[np.array([label is not None for label in labels], dtype=bool)].astype(str)
    return sample.numbers[name][np.isfinite(sample.numbers[name])]


def _enough(values: np.ndarray) -> bool:
    return len(values) >= MIN_VALUES


def _varies(values: np.ndarray) -> bool:
    return _enough(values) and bool((values != values[0]).any())


def _numbers(name: str, was: np.ndarray, now: np.ndarray) -> tuple[float, str]:
    places = np.union1d(was, now)
    shares = [np.searchsorted(np.sort(side), places, side="right") / len(side) for side in (was, now)]
    spoken = name.replace("_", " ").replace("top1 score", "score of the best answer")
    told = (
        f"went from {was.mean():.1%} to {now.mean():.1%} of the queries"
        if set(places) <= {0.0, 1.0}
        else f"the median went from {np.median(was):.3g} to {np.median(now):.3g}"
    )
    return float(np.abs(shares[1] - shares[0]).max()), f"{spoken}: {told}"


def _values(name: str, was: np.ndarray, now: np.ndarray) -> tuple[float, str]:
    values = np.union1d(was, now)
    shares = np.array([[(side == value).mean() for value in values] for side in (was, now)])  # (2, C)
    moved = shares[1] - shares[0]
    most = int(np.argmax(np.abs(moved)))
    told = f"{name}: '{values[most]}' went from {shares[0, most]:.1%} to {shares[1, most]:.1%} of the queries"
    return float(np.abs(moved).sum() / 2), told


def _vectors(name: str, reference: Sample, current: Sample) -> tuple[float, str]:
    means = [side.vectors.mean(axis=0) for side in (reference, current)]
    apart = 1 - float(means[0] @ means[1] / (np.linalg.norm(means[0]) * np.linalg.norm(means[1])))
    return max(0.0, apart), f"{name}: the mean vectors are {max(0.0, apart):.3f} apart (cosine distance)"
