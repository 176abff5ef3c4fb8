"""Figures of a report: every number with its n, slice and interval."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lookalike.errors import EvaluationError
from lookalike.evaluation.bootstrap import Estimate, estimate_difference, estimate_means, estimate_ratio
from lookalike.evaluation.measure import Evaluation, Measured
from lookalike.evaluation.metrics import Values
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth

FINE = "fine_precision_at_4"
COARSE = "coarse_precision_at_4"
RECALL = "known_item_recall_at_10"
HEADLINE = (FINE, COARSE, RECALL)
"""Figures that are also sliced by vertical and compared between models."""

SINGLE = (*HEADLINE, "known_item_recall_at_1")
"""Figures of each damage by itself."""

EVERYTHING = "all"


@dataclass(frozen=True)
class Figure:
    """One number of the report."""

    subject: str
    """`challenger`, `champion`, `baseline`, or two of them: `challenger - champion`, `challenger / baseline`."""
    queries: str
    """Name of the query set."""
    metric: str
    slice: str
    """`all`, or `vertical:<name>`."""
    value: float | None
    n: int
    skipped: int
    """Queries of the slice that the metric cannot judge, because their attributes are unknown."""
    low: float | None
    high: float | None
    split: str
    seed: int

    @property
    def key(self) -> str:
        """Names the figure within its report."""
        return "/".join((self.subject, self.queries, self.metric, self.slice))

    def as_json(self) -> dict[str, Any]:
        values = asdict(self)
        low, high = values.pop("low"), values.pop("high")
        return values | {"interval": None if low is None else [low, high]}


def model_figures(subject: str, evaluation: Evaluation, truth: Truth, settings: EvaluationSettings) -> list[Figure]:
    """All figures of one model."""
    figures: list[Figure] = []
    for measured in evaluation.sets.values():
        names = [name for name in measured.values if not measured.queries.single_damage or name in SINGLE]
        columns = _columns(measured, names, truth)
        estimates = estimate_means(np.stack([values for *_, values in columns], axis=1), measured.resamples)
        for (name, slice_name, size, _), estimate in zip(columns, estimates, strict=True):
            figures.append(_figure(subject, measured, name, slice_name, size, estimate, settings))
    return figures


def differences(
    challenger: Evaluation, other: Evaluation, name: str, truth: Truth, settings: EvaluationSettings
) -> list[Figure]:
    """Paired differences of the headline figures, challenger minus the model called `name`."""
    return _compared(challenger, other, f"challenger - {name}", estimate_difference, truth, settings)


def ratios(
    challenger: Evaluation, other: Evaluation, name: str, truth: Truth, settings: EvaluationSettings
) -> list[Figure]:
    """Paired ratios of the headline figures, challenger over the model called `name`."""
    return _compared(challenger, other, f"challenger / {name}", estimate_ratio, truth, settings)


def find_figure(figures: Iterable[Figure], subject: str, queries: str, metric: str, part: str = EVERYTHING) -> Figure:
    """The one figure of that name. Raises EvaluationError where it was not measured."""
    key = "/".join((subject, queries, metric, part))
    for figure in figures:
        if figure.key == key:
            return figure
    raise EvaluationError(f"there is no figure {key}")


def in_vertical(values: Values, measured: Measured, truth: Truth, vertical: str) -> Values:
    """(Q,) values, NaN for the queries of other verticals."""
    return np.where(truth.verticals[measured.queries.photos.products] == vertical, values, np.nan)


def query_verticals(measured: Measured, truth: Truth) -> list[str]:
    """The verticals that were asked about, sorted."""
    return sorted(set(truth.verticals[measured.queries.photos.products]))


def _columns(measured: Measured, names: list[str], truth: Truth) -> list[tuple[str, str, int, Values]]:
    """(metric, slice, queries in the slice, values (Q,)) of every figure over one query set."""
    columns = [(name, EVERYTHING, len(measured.values[name]), measured.values[name]) for name in names]
    if measured.queries.single_damage:
        return columns
    verticals = truth.verticals[measured.queries.photos.products]  # (Q,)
    for vertical in query_verticals(measured, truth):
        size = int((verticals == vertical).sum())
        for name in HEADLINE:
            if name in names:
                values = in_vertical(measured.values[name], measured, truth, vertical)
                columns.append((name, f"vertical:{vertical}", size, values))
    return columns


def _compared(
    challenger: Evaluation,
    other: Evaluation,
    subject: str,
    estimate: Callable[..., Estimate],
    truth: Truth,
    settings: EvaluationSettings,
) -> list[Figure]:
    figures = []
    for queries, measured in challenger.sets.items():
        theirs = other.sets[queries]
        names = [name for name in HEADLINE if name in measured.values]
        pairs = zip(_columns(measured, names, truth), _columns(theirs, names, truth), strict=True)
        for (name, slice_name, size, ours), (*_, against) in pairs:
            found = estimate(ours, against, measured.resamples)
            figures.append(_figure(subject, measured, name, slice_name, size, found, settings))
    return figures


def _figure(
    subject: str,
    measured: Measured,
    metric: str,
    slice_name: str,
    size: int,
    estimate: Estimate,
    settings: EvaluationSettings,
) -> Figure:
    low, high = estimate.interval or (None, None)
    return Figure(
        subject,
        measured.queries.name,
        metric,
        slice_name,
        estimate.value,
        estimate.n,
        size - estimate.n,
        low,
        high,
        settings.split,
        settings.seed,
    )
