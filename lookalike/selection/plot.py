"""The Pareto plot: recall against speed, memory as the size of a dot."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import ArrayLike, NDArray

from lookalike.selection.pareto import pareto_front

COLOURS = {
    "flat": "#868e96",
    "hnsw": "#1c7ed6",
    "ivf_pq": "#2f9e44",
    "binary": "#d9480f",
    "scalar": "#ae3ec9",
}
TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0)
MARGIN = 0.1
"""Either side of the recall axis, in powers of ten of what is missed."""
PERFECT = 1.001
"""Where the recall axis, logarithmic in what is missed, would end: full recall is drawn a thousandth before it."""
LEAST_DOT, LARGEST_DOT = 20.0, 260.0
"""Areas in square points; a dot's area grows with its memory."""


def draw_pareto(table: pd.DataFrame, path: Path, chosen: str | None = None, recall: float | None = None) -> None:
    """Write a PNG of a sweep's table, the front drawn, the chosen candidate ringed, the asked recall as a line."""
    canvas = Canvas(figsize=(7, 4.5), layout="constrained")
    axes = canvas.add_subplot()
    for kind, rows in table.groupby("kind", sort=False):
        axes.scatter(
            rows["recall"],
            rows["queries_per_second"],
            s=_areas(rows["total_bytes"], table["total_bytes"].max()),
            color=COLOURS.get(str(kind), "#495057"),
            alpha=0.65,
            linewidths=0,
            label=str(kind),
        )
    _draw_front(axes, table)
    if chosen is not None:
        _ring(axes, table[table["name"] == chosen].iloc[0])
    if recall is not None:
        axes.axvline(recall, color="#adb5bd", linestyle=":", linewidth=1)
    _label(axes, table)
    canvas.savefig(path, format="png", dpi=110, metadata={"Software": None})


def _draw_front(axes: Axes, table: pd.DataFrame) -> None:
    front = table[pareto_front(table["recall"], table["queries_per_second"])].sort_values("recall")
    axes.plot(front["recall"], front["queries_per_second"], color="#343a40", linewidth=1, zorder=1, label="front")


def _ring(axes: Axes, row: "pd.Series") -> None:
    place = (row["recall"], row["queries_per_second"])
    axes.scatter(*place, s=LARGEST_DOT * 1.5, facecolors="none", edgecolors="#212529", linewidths=1.5)
    axes.annotate(row["name"], place, xytext=(0, 16), textcoords="offset points", ha="right", fontsize=8)


def _label(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_yscale("log")
    axes.set_xscale("function", functions=(_missing, _found))
    left, right = (_found(_missing(end) + side) for end, side in ((table["recall"].min(), -MARGIN), (1.0, MARGIN)))
    axes.set_xlim(float(left), float(right))
    shown = [tick for tick in TICKS if tick >= left]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.set_xlabel(f"recall@{table['k'].iloc[0]} against exact search")
    threads = int(table["threads"].iloc[0])
    axes.set_ylabel(f"queries/s on {threads} core{'s' if threads > 1 else ''}")
    most = table["total_bytes"].max() / 2**20
    axes.set_title(
        f"{table['rows'].iloc[0]:,} photos × {table['dimension'].iloc[0]}; dots by memory, up to {most:,.0f} MiB",
        fontsize=9,
    )
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.legend(frameon=False, fontsize=8, loc="best")
    for handle in legend.legend_handles:
        if handle is not None and hasattr(handle, "set_sizes"):
            handle.set_sizes([40.0])


def _missing(recall: ArrayLike) -> NDArray[np.float64]:
    return -np.log10(np.maximum(PERFECT - np.asarray(recall, dtype=np.float64), 1e-9))


def _found(place: ArrayLike) -> NDArray[np.float64]:
    return PERFECT - np.power(10.0, -np.asarray(place, dtype=np.float64))


def _areas(memory: "pd.Series", most: float) -> "pd.Series":
    return pd.Series(np.maximum(LEAST_DOT, LARGEST_DOT * memory / most), index=memory.index)
