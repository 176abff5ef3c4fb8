"""Figures of the report as inline SVG that takes its text colour from the page, light or dark."""

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from lookalike.evaluation.figures import Figure

INK = "#010203"
"""Stands for the page's text colour until the SVG is written; used nowhere else."""

COLOURS = {"challenger": "#d9480f", "champion": "#1c7ed6", "baseline": "#868e96"}
SHADE = LinearSegmentedColormap.from_list("shade", [(0.85, 0.28, 0.06, 0.0), (0.85, 0.28, 0.06, 1.0)])
"""From the page's own background to orange."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def interval_plot(name: str, series: Mapping[str, Mapping[str, Figure]], axis: str) -> str:
    """Dots with intervals: per subject its figures by row label. Returns SVG."""
    labels = list(dict.fromkeys(label for figures in series.values() for label in figures))
    canvas, axes = _canvas(name, 0.9 + 0.2 * len(labels) * max(2, len(series)) * 0.9)
    for place, (subject, figures) in enumerate(series.items()):
        shift = (place - (len(series) - 1) / 2) * 0.22
        drawn = [(labels.index(label) + shift, figure) for label, figure in figures.items() if figure.value is not None]
        _draw_dots(axes, drawn, COLOURS[subject], subject)
    sizes = {label: next(figures[label].n for figures in series.values() if label in figures) for label in labels}
    axes.set_yticks(range(len(labels)), [f"{label} (n={sizes[label]})" for label in labels])
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)  # room for a dot at either end
    axes.set_xlabel(axis)
    if len(series) > 1:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(series), frameon=False)
    return _svg(name, canvas)


def curve_plot(name: str, metrics: pd.DataFrame, x: str, columns: Sequence[str]) -> str:
    """Lines of the training metrics over `x`. Returns SVG."""
    canvas, axes = _canvas(name, 3.0)
    for column in columns:
        points = metrics[[x, column]].dropna()
        axes.plot(points[x], points[column], marker="." if len(points) < 40 else None, label=column)
    axes.set_xlabel(x)
    axes.legend(frameon=False, fontsize=8)
    return _svg(name, canvas)


def timeline_plot(
    name: str, lines: Mapping[str, Sequence[float | None]], shaded: Sequence[int], marks: Mapping[int, str]
) -> str:
    """Lines over numbered windows, from 1; None leaves a gap. Some windows are shaded, some marked. Returns SVG.

    The scale is even up to 5 and logarithmic above.
    """
    canvas, axes = _canvas(name, 3.0)
    axes.set_yscale("symlog", linthresh=5, linscale=3)
    for window in shaded:
        axes.axvspan(window - 0.5, window + 0.5, color=COLOURS["challenger"], alpha=0.1, linewidth=0)
    for place, (label, values) in enumerate(lines.items()):
        points = np.array([np.nan if value is None else value for value in values], dtype=float)
        style, colour = ("o-", COLOURS["challenger"]) if place == 0 else ("--", COLOURS["baseline"])
        axes.plot(np.arange(1, len(points) + 1), points, style, color=colour, label=label)
    for window, words in marks.items():
        axes.axvline(window, color=COLOURS["champion"], linewidth=1)
        axes.annotate(words, (window, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8)
    axes.set_xlabel("window")
    axes.set_xticks(np.arange(1, max(map(len, lines.values())) + 1))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.tick_params(labelsize=8)
    axes.legend(frameon=False, fontsize=8)
    return _svg(name, canvas)


def confusion_plot(name: str, counts: NDArray[np.int64], labels: Sequence[str]) -> str:
    """(C, C) counts, true values down, predicted across, shaded by share of the true value. Returns SVG."""
    canvas, axes = _canvas(name, 1.2 + 0.22 * len(labels))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.pcolormesh(shares, cmap=SHADE, vmin=0, vmax=1, edgecolors="none")
    places = np.arange(len(labels)) + 0.5
    axes.set_xticks(places, labels, rotation=90, fontsize=8)
    axes.set_yticks(places, labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    return _svg(name, canvas)


def _canvas(name: str, height: float) -> tuple[Canvas, Axes]:
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(7, height), layout="constrained")
        return canvas, canvas.add_subplot()


def _draw_dots(axes: Axes, drawn: Sequence[tuple[float, Figure]], colour: str, subject: str) -> None:
    values = np.array([figure.value for _, figure in drawn], dtype=float)
    lows = np.array([figure.value if figure.low is None else figure.low for _, figure in drawn], dtype=float)
    highs = np.array([figure.value if figure.high is None else figure.high for _, figure in drawn], dtype=float)
    errors = np.maximum(np.stack([values - lows, highs - values]), 0)
    places = [place for place, _ in drawn]
    axes.errorbar(values, places, xerr=errors, fmt="o", color=colour, markersize=5, capsize=2, label=subject)


def _svg(name: str, canvas: Canvas) -> str:
    """Inline SVG: no prologue, no namespaces (HTML knows them), ids that do not clash with another figure's."""
    text = StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        canvas.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", svg)
    svg = re.sub(r'\sid="[\w.]+_\d+"', "", svg)
    svg = re.sub(r'^<svg width="[^"]*" height="[^"]*"|^<svg height="[^"]*"([^>]*?) width="[^"]*"', r"<svg\1", svg)
    return svg.replace(INK, "currentColor")
