"""Which drawings a report carries."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.evaluation.figures import COARSE, EVERYTHING, FINE, RECALL, Figure
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.plots import COLOURS, confusion_plot, curve_plot, interval_plot
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.evaluation.report import Plot
from lookalike.evaluation.truth import Truth

MOST_CONFUSED = 16
"""Values shown in a confusion; more are unreadable on a phone."""


def illustrate(
    models: Mapping[str, Evaluation], figures: Sequence[Figure], truth: Truth, metrics: Path | None
) -> list[Plot]:
    """Every drawing the figures allow; `metrics` is the training run's metrics.csv, where there is one."""
    plots = [_attributes(figures, truth), _damages(figures), _verticals(figures)]
    confusion = _confusion(models["challenger"], truth)
    curve = _training(metrics) if metrics is not None else None
    return [*plots, *(plot for plot in (confusion, curve) if plot is not None)]


def _attributes(figures: Sequence[Figure], truth: Truth) -> Plot:
    names = {f"attribute_{name}_precision_at_4": name for name in truth.attributes}
    names |= {COARSE: "coarse", FINE: "fine"}
    whole = [figure for figure in figures if (figure.queries, figure.slice) == (CATALOGUE, EVERYTHING)]
    rows = {figure: names[figure.metric] for figure in whole if figure.metric in names}
    svg = interval_plot("attributes", _by_subject(rows), "precision@4 on catalogue photos")
    return Plot(
        "What the neighbours share",
        svg,
        f"Share of the four nearest products with the query's value. Coarse: {_names(truth, truth.coarse)}; "
        f"fine, all at once: {_names(truth, truth.fine)}.",
    )


def _damages(figures: Sequence[Figure]) -> Plot:
    rows = {
        figure: figure.queries.removeprefix(f"{DAMAGED}:").replace("_", " ")
        for figure in figures
        if figure.metric == RECALL and figure.slice == EVERYTHING
    }
    svg = interval_plot("damages", _by_subject(rows), "known-item recall@10")
    return Plot("Finding the product again", svg, "Share of damaged photos whose own product is among the ten nearest.")


def _verticals(figures: Sequence[Figure]) -> Plot:
    rows = {
        figure: figure.slice.removeprefix("vertical:")
        for figure in figures
        if figure.metric == FINE and figure.queries == CATALOGUE and figure.slice != EVERYTHING
    }
    svg = interval_plot("verticals", _by_subject(rows), "fine precision@4 on catalogue photos")
    return Plot("By vertical", svg, "Wide intervals mean few queries, not a poor model.")


def _confusion(challenger: Evaluation, truth: Truth) -> Plot | None:
    """The first coarse attribute, where the model predicts it."""
    column = truth.coarse[0]
    name = truth.attributes[column]
    measured = challenger.sets[CATALOGUE]
    if name not in measured.embeddings.attributes:
        return None
    labels = challenger.identity.attribute_labels[name]
    known = {value: code for code, value in enumerate(truth.values[name])}
    codes = np.array([known.get(label, -1) for label in labels])  # (C,)
    predicted = codes[measured.embeddings.attributes[name].argmax(axis=1)]  # (Q,)
    true = truth.codes[measured.queries.photos.products, column]  # (Q,)
    counts, shown = _most_frequent(true, predicted, truth.values[name])
    caption = f"The {name} head on catalogue photos, shaded by share of the true value; the most frequent values only."
    return Plot(f"Confusion of {name}", confusion_plot("confusion", counts, shown), caption)


def _most_frequent(
    true: NDArray[np.int32], predicted: NDArray[np.int64], values: Sequence[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Confusion counts of the most frequent true values, all others gathered in a last column and row."""
    frequency = np.bincount(true[true >= 0], minlength=len(values))
    shown = np.argsort(-frequency, kind="stable")[:MOST_CONFUSED]
    shown = shown[frequency[shown] > 0]
    place = np.full(len(values) + 1, len(shown))  # code -1 reads the last place: others
    place[shown] = np.arange(len(shown))
    counts = np.zeros((len(shown) + 1, len(shown) + 1), dtype=np.int64)
    np.add.at(counts, (place[true[true >= 0]], place[predicted[true >= 0]]), 1)
    return counts, [*(values[code] for code in shown), "(others)"]


def _training(path: Path) -> Plot | None:
    """Losses over the epochs."""
    if not path.is_file():
        return None
    metrics = pd.read_csv(path)
    clock = next((name for name in ("epoch", "step") if name in metrics), None)
    losses = [name for name in metrics.columns if "loss" in name and metrics[name].notna().any()]
    if clock is None or not losses:
        return None
    return Plot("Training", curve_plot("training", metrics, clock, losses), "Losses as training logged them.")


def _by_subject(rows: Mapping[Figure, str]) -> dict[str, dict[str, Figure]]:
    """Figures by model and row label; comparisons between models are left out."""
    subjects: dict[str, dict[str, Figure]] = {}
    for figure, label in rows.items():
        if figure.subject in COLOURS:
            subjects.setdefault(figure.subject, {})[label] = figure
    return subjects


def _names(truth: Truth, columns: Sequence[int]) -> str:
    return ", ".join(truth.attributes[column] for column in columns)
