"""The plots of the results page, drawn from the committed numbers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from benchmarks.embedding.plots import STYLE
from lookalike.storage import atomic_file

Details = Mapping[str, Any]
"""Per step what its `Measured.details` hold."""
COLOURS = {"hnsw": "#d9480f", "ivf_pq": "#1971c2", "binary": "#2b8a3e", "flat": "#868e96"}


def draw_plots(details: Details, folder: Path) -> None:
    """Write every plot whose numbers are there, as SVG."""
    if "speed" in details:
        _draw_curves(details["speed"]["points"], folder / "index_recall_speed.svg")
    if "filters" in details:
        _draw_filters(details["filters"]["found"], folder / "index_filters.svg")


def _draw_curves(points: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Recall against queries per second, a panel per size."""
    sizes = sorted({point["size"] for point in points})
    with _canvas(path, 3.6 * len(sizes), 3.2, 1, len(sizes)) as panels:
        for axes, size in zip(panels, sizes, strict=True):
            for kind in COLOURS:
                mine = [point for point in points if (point["size"], point["kind"]) == (size, kind)]
                if mine:
                    recalls, rates = ([point[name] for point in mine] for name in ("recall", "per_second"))
                    axes.plot(recalls, rates, "o-", color=COLOURS[kind], markersize=3, linewidth=1, label=kind)
            axes.set_yscale("log")
            axes.axvline(0.99, color="#ced4da", linewidth=0.8)
            axes.set_title(f"{size:,} vectors", fontsize=9)
            axes.set_xlabel("recall@10")
        panels[0].set_ylabel("queries per second, one core")
        panels[-1].legend(frameon=False)


def _draw_filters(found: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Recall and latency by the share that passes: above recall, below p50 over that without a filter."""
    drawn = [each for each in found if each["drawn"]]
    sizes = sorted({each["size"] for each in drawn})
    with _canvas(path, 3.6 * len(sizes), 4.6, 2, len(sizes)) as panels:
        for place, (measure, goal) in enumerate((("recall", 0.99), ("ratio", 3.0))):
            for axes, size in zip(panels[place * len(sizes) :], sizes, strict=False):
                for kind in COLOURS:
                    mine = [each for each in drawn if (each["size"], each["kind"]) == (size, kind)]
                    shares, values = [100 * each["share"] for each in mine], [each[measure] for each in mine]
                    if mine:
                        axes.plot(shares, values, "o-", color=COLOURS[kind], markersize=3, linewidth=1, label=kind)
                axes.axhline(goal, color="#ced4da", linewidth=0.8)
                axes.set_xscale("log")
                axes.set_title(f"{size:,} vectors", fontsize=9)
        panels[0].set_ylabel("recall@10")
        panels[len(sizes)].set_ylabel("p50 over that without a filter")
        for axes in panels[len(sizes) :]:
            axes.set_xlabel("% of photos that pass")
        panels[0].legend(frameon=False)


@contextmanager
def _canvas(path: Path, width: float, height: float, rows: int, columns: int) -> Iterator[list[Axes]]:
    """Panels, row by row, in inches together; saved at the end."""
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        yield list(canvas.subplots(rows, columns, squeeze=False).ravel())
        with atomic_file(path) as aside:
            canvas.savefig(aside, format="svg", metadata={"Date": None})
