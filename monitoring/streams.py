"""What moved: one two-sample test per stream of the log, corrected for the number of streams.

The verdict on drift is the vectors' alone; these tests say in words what a person should look at.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from lookalike.config import StrictConfig
from monitoring.samples import Sample

MIN_VALUES = 20
"""Fewer measured values than this on either side are not tested."""
MIN_EXPECTED = 5
"""Rarer attribute values are pooled: chi-square needs about five expected rows per cell (Cochran 1954)."""


class StreamResult(StrictConfig):
    """One stream of the window against the reference."""

    name: str
    """Column of the log, or an attribute."""
    test: str
    """`ks` (numbers) or `chi-square` (predicted values)."""
    statistic: float
    """Largest gap of the cumulative shares (ks), or half the sum of the shares' changes (chi-square): 0 to 1."""
    p_value: float
    """Of the test alone."""
    p_adjusted: float
    """After Holm's correction over all streams."""
    moved: bool
    """Whether the corrected p-value is at most alpha."""
    words: str
    """What changed, for a person."""


def compare_streams(reference: Sample, current: Sample, alpha: float) -> list[StreamResult]:
    """Test every stream both sides have; the ones that moved come first, strongest change first."""
    was, now = reference, current
    found = [_numbers(name, was.numbers[name], now.numbers[name]) for name in _shared_numbers(was, now)]
    found += [_values(name, was.labels[name], now.labels[name]) for name in was.labels if name in now.labels]
    adjusted = holm([result.p_value for result in found])
    results = [
        result.model_copy(update={"p_adjusted": p, "moved": p <= alpha})
        for result, p in zip(found, adjusted, strict=True)
    ]
    return sorted(results, key=lambda result: (not result.moved, -result.statistic, result.name))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): adjusted p-values in the order given."""
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted.tolist()


def _shared_numbers(reference: Sample, current: Sample) -> list[str]:
    def measured(sample: Sample, name: str) -> int:
        return int(np.isfinite(sample.numbers[name]).sum())

    shared = [name for name in reference.numbers if name in current.numbers]
    return [name for name in shared if min(measured(reference, name), measured(current, name)) >= MIN_VALUES]


def _numbers(name: str, reference: NDArray[np.float64], current: NDArray[np.float64]) -> StreamResult:
    was, now = reference[np.isfinite(reference)], current[np.isfinite(current)]
    test = ks_2samp(was, now, method="asymp")  # exact p-values suppose no ties; photo sizes are full of them
    return StreamResult(
        name=name,
        test="ks",
        statistic=float(test.statistic),
        p_value=float(test.pvalue),
        p_adjusted=1.0,
        moved=False,
        words=f"{_spoken(name)}: the median went from {np.median(was):.3g} to {np.median(now):.3g}",
    )


def _values(name: str, reference: NDArray[np.object_], current: NDArray[np.object_]) -> StreamResult:
    values = sorted({str(value) for value in (*reference, *current)})
    counts = np.array([[np.sum(side.astype(str) == value) for value in values] for side in (reference, current)])
    shares = counts / counts.sum(axis=1, keepdims=True)  # (2, C)
    change = shares[1] - shares[0]
    most = int(np.argmax(np.abs(change)))
    return StreamResult(
        name=name,
        test="chi-square",
        statistic=float(np.abs(change).sum() / 2),
        p_value=_chi_square(counts),
        p_adjusted=1.0,
        moved=False,
        words=f"{name}: '{values[most]}' went from {shares[0, most]:.1%} to {shares[1, most]:.1%} of the queries",
    )


def _chi_square(counts: NDArray[np.int64]) -> float:
    """p-value of the (2, C) table, rare values pooled into one column; 1 when a single column is left."""
    totals = counts.sum(axis=0)
    expected = totals * counts.sum(axis=1).min() / counts.sum()
    common = expected >= MIN_EXPECTED
    pooled = np.column_stack([counts[:, common], counts[:, ~common].sum(axis=1)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    return float(chi2_contingency(pooled, correction=False).pvalue) if pooled.shape[1] > 1 else 1.0


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace("top1 score", "score of the best answer")
