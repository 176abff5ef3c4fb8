"""Which part of the traffic moved: per vertical and per value of every predicted attribute, largest first."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from lookalike.config import StrictConfig
from monitoring.samples import Sample
from monitoring.streams import holm

MIN_ROWS = 10
"""Slices with fewer rows on both sides together are not looked at."""
MIN_INSIDE = 20
"""Rows on either side from which on a slice's own look is compared."""
SHOWN = 20
"""Slices kept."""
EXAMPLES = 5
"""Queries named per slice."""


class Example(StrictConfig):
    """One query of the window that shows the change best."""

    time: str
    """When it was answered, ISO 8601: what finds it in the query log."""
    hits: tuple[str, ...]
    """The first products it was answered with."""


class SliceChange(StrictConfig):
    """One slice of the traffic, before and now."""

    field: str
    """`vertical`, or an attribute."""
    value: str
    """Its value."""
    n_reference: int
    """Reference rows in it."""
    n_current: int
    """Window rows in it."""
    share_before: float
    share_now: float
    p_adjusted: float
    """Of the change of its share, after Holm's correction over all slices."""
    apart: float | None
    """Cosine distance of the slice's mean vectors before and now, beyond what chance explains; null where one side has
    too few rows."""
    moved: float
    """How much of the shift of the mean vector the slice accounts for, 0 to 1; by this they are ranked."""
    words: str
    """The change for a person."""
    examples: tuple[Example, ...] = ()
    """Queries farthest from the reference in the direction of the change."""


def changed_slices(
    reference: Sample,
    current: Sample,
    verticals: tuple[NDArray[np.object_], NDArray[np.object_]] | None,
    told: Sequence[Example],
) -> list[SliceChange]:
    """Rank the slices of M reference and N window rows by what they contribute to the shift of the mean vector.

    `verticals` are those of the rows, (M,) and (N,), where they are known; `told` names the N window queries.
    """
    shared = [name for name in reference.labels if name in current.labels]
    columns = {name: (reference.labels[name], current.labels[name]) for name in shared}
    if verticals is not None:
        columns = {"vertical": verticals, **columns}
    shift = current.vectors.mean(axis=0) - reference.vectors.mean(axis=0)  # (D,)
    centre = reference.vectors.mean(axis=0)
    outward = (current.vectors - centre) @ shift  # (N,)
    found = [
        _slice(field, value, (reference, was == value), (current, now == value), shift, centre, outward, told)
        for field, (was, now) in columns.items()
        for value in sorted({str(each) for each in (*was, *now) if each is not None})
        if (was == value).sum() + (now == value).sum() >= MIN_ROWS
    ]
    adjusted = holm([each.p_adjusted for each in found])
    found = [each.model_copy(update={"p_adjusted": p}) for each, p in zip(found, adjusted, strict=True)]
    return sorted(found, key=lambda each: (-each.moved, each.field, each.value))[:SHOWN]


def verticals_of(labels: NDArray[np.object_], verticals: Mapping[str, str]) -> NDArray[np.object_]:
    """(N,) vertical of every query, from the value predicted of it; None where nobody knows it."""
    return np.array([verticals.get(label) for label in labels], dtype=object)


def _slice(
    field: str,
    value: str,
    before: tuple[Sample, NDArray[np.bool_]],
    now: tuple[Sample, NDArray[np.bool_]],
    shift: NDArray[np.float32],
    centre: NDArray[np.float32],
    outward: NDArray[np.float32],
    told: Sequence[Example],
) -> SliceChange:
    rows = [sample.vectors[mask] for sample, mask in (before, now)]
    counts = [len(each) for each in rows]
    shares = [len(each) / len(sample) for each, (sample, _) in zip(rows, (before, now), strict=True)]
    apart = _apart(rows[0], rows[1]) if min(counts) >= MIN_INSIDE else None
    means = [each.mean(axis=0) - centre if len(each) else np.zeros_like(centre) for each in rows]
    pushed = shares[1] * means[1] - shares[0] * means[0]  # (D,) the slice's part of the shift
    length = float(shift @ shift)
    looks = f", and looks {apart:.3f} away from before" if apart else ""
    farthest = [i for i in np.argsort(-outward, kind="stable") if now[1][i]][:EXAMPLES]
    return SliceChange(
        field=field,
        value=value,
        n_reference=counts[0],
        n_current=counts[1],
        share_before=shares[0],
        share_now=shares[1],
        p_adjusted=_share_p(counts, (len(before[0]), len(now[0]))),
        apart=apart,
        moved=min(1.0, max(0.0, float(pushed @ shift) / length)) if length else 0.0,
        words=f"{field} '{value}' went from {shares[0]:.1%} to {shares[1]:.1%} of the queries{looks}",
        examples=tuple(told[i] for i in farthest) if told else (),
    )


def _share_p(counts: Sequence[int], totals: tuple[int, int]) -> float:
    """Two-sided p-value of the difference of two shares."""
    pooled = sum(counts) / sum(totals)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / totals[0] + 1 / totals[1]))
    apart = abs(counts[1] / totals[1] - counts[0] / totals[0])
    return float(2 * norm.sf(apart / spread)) if spread else 1.0


def _apart(was: NDArray[np.float32], now: NDArray[np.float32]) -> float:
    """Cosine distance of the two mean vectors, less what two samples of these sizes are apart on average."""
    means = was.mean(axis=0), now.mean(axis=0)
    lengths = float(np.linalg.norm(means[0])), float(np.linalg.norm(means[1]))
    noise = was.var(axis=0).sum() / len(was) + now.var(axis=0).sum() / len(now)
    distance = 1 - float(means[0] @ means[1]) / (lengths[0] * lengths[1])
    return max(0.0, distance - float(noise) / (2 * lengths[0] * lengths[1]))
