"""The plots of the results page, drawn from the committed numbers; the map of the embeddings from their vectors."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from benchmarks.embedding.arms import MAIN
from benchmarks.embedding.details import Details
from lookalike.storage import atomic_file

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lookalike",  # the same numbers give the same bytes
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
SHOWN = ("frozen", "single_label", "single_attribute", "multi_attribute", "attributes", "multi_task", MAIN)
"""Arms of the plots that would be crowded with all of them."""

FINE = "fine_precision_at_4"
DOTS = 12
"""Values of the map that get a colour of their own; the others are grey."""


def draw_plots(details: Details, folder: Path) -> None:
    """Write every plot that needs numbers only, as SVG."""
    _draw_arms(details, folder / "arms.svg")
    _draw_attributes(details, folder / "attributes.svg")
    _draw_levels(details, folder / "levels.svg")
    _draw_losses(details, folder / "losses.svg")
    if "hidden_30" in details["arms"] and MAIN in details["arms"]:
        _draw_hidden(details, folder / "hidden_labels.svg")


def draw_map(places: NDArray[np.float32], names: NDArray[np.object_], path: Path) -> None:
    """Dots at (N, 2) places, coloured by the commonest names (N,), as PNG."""
    common = [str(name) for name in sorted(set(names), key=lambda name: -int((names == name).sum()))[:DOTS]]
    with _canvas(path, 7.5, 6) as axes:
        rest = ~np.isin(names.astype(str), common)
        axes.scatter(places[rest, 0], places[rest, 1], s=4, color="#d0d0d0", linewidths=0)
        for colour, name in enumerate(common):
            of, shade = names == name, matplotlib.colormaps["tab20"](colour)
            axes.scatter(places[of, 0], places[of, 1], s=6, color=shade, linewidths=0, label=name)
        axes.set_axis_off()
        axes.legend(frameon=False, markerscale=2.5, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_arms(details: Details, path: Path) -> None:
    arms = sorted(details["arms"], key=lambda arm: details["arms"][arm]["test"][FINE][0])
    with _canvas(path, 6.5, 0.8 + 0.24 * len(arms)) as axes:
        for place, arm in enumerate(arms):
            for split, shift, colour in (("test", 0.12, "#d9480f"), ("validation", -0.12, "#868e96")):
                value, low, high = details["arms"][arm][split][FINE]
                label = split if place == 0 else None
                axes.plot([low, high], [place + shift] * 2, color=colour, linewidth=1)
                axes.plot(value, place + shift, "o", color=colour, markersize=4, label=label)
        axes.set_yticks(range(len(arms)), arms)
        axes.set_xlabel("fine precision@4, 95 % interval")
        axes.legend(frameon=False, loc="lower right")


def _draw_attributes(details: Details, path: Path) -> None:
    arms = _shown(details)
    names = _matching(details, r"attribute_(\w+)_precision_at_4")
    with _canvas(path, 7, 3) as axes:
        width = 0.8 / len(arms)
        for number, arm in enumerate(arms):
            heights = [details["arms"][arm]["test"][metric][0] or 0 for metric in names]
            axes.bar(np.arange(len(names)) + number * width, heights, width, label=arm)
        axes.set_xticks(np.arange(len(names)) + 0.4 - width / 2, list(names.values()))
        axes.set_ylabel("precision@4")
        axes.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_levels(details: Details, path: Path) -> None:
    arms = _shown(details)
    names = _matching(details, r"level_(\d)_at_4")
    with _canvas(path, 6.5, 0.8 + 0.3 * len(arms)) as axes:
        left = np.zeros(len(arms))
        for number, (metric, level) in enumerate(names.items()):
            widths = np.array([details["arms"][arm]["test"][metric][0] or 0 for arm in arms])
            colour = matplotlib.colormaps["viridis"](number / max(1, len(names) - 1))
            axes.barh(arms, widths, left=left, color=colour, label=f"level {level}")
            left += widths
        axes.invert_yaxis()
        axes.set_xlabel("share of the first four answers")
        axes.legend(frameon=False, fontsize=7, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1))


def _draw_losses(details: Details, path: Path) -> None:
    """One panel per task: the loss of every arm that has it, over the share of the budget spent."""
    tasks = sorted({task for losses in details["losses"].values() for task in losses} - {"loss"})
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(7.5, 2.2 * -(-len(tasks) // 3)), layout="constrained")
        for task, axes in zip(tasks, canvas.subplots(-(-len(tasks) // 3), 3, squeeze=False).flat, strict=False):
            for arm, losses in details["losses"].items():
                if task in losses:
                    share = np.arange(1, len(losses[task]) + 1) / len(losses[task])
                    axes.plot(share, losses[task], ".-", label=arm, linewidth=1)
            axes.set_title(task.replace("_", " "), fontsize=9)
            axes.legend(frameon=False, fontsize=5)
        _save(canvas, path)


def _draw_hidden(details: Details, path: Path) -> None:
    arms = {0: MAIN, 30: "hidden_30", 60: "hidden_60"}
    points = [(share, *details["arms"][arm]["test"][FINE]) for share, arm in arms.items() if arm in details["arms"]]
    shares, values, lows, highs = zip(*points, strict=True)
    with _canvas(path, 4.5, 2.8) as axes:
        axes.fill_between(shares, lows, highs, alpha=0.2, color="#d9480f", linewidth=0)
        axes.plot(shares, values, "o-", color="#d9480f")
        if "frozen" in details["arms"]:
            axes.axhline(details["arms"]["frozen"]["test"][FINE][0], color="#868e96", linestyle=":", label="untrained")
            axes.legend(frameon=False)
        axes.set_xlabel("labels of the train split hidden, %")
        axes.set_ylabel("fine precision@4")


def _shown(details: Details) -> list[str]:
    return [arm for arm in SHOWN if arm in details["arms"]]


def _matching(details: Details, pattern: str) -> dict[str, str]:
    """Metrics whose name fits, with the part that is caught."""
    metrics: Iterable[str] = next(iter(details["arms"].values()))["test"]
    return {metric: found[1] for metric in metrics if (found := re.fullmatch(pattern, metric))}


@contextmanager
def _canvas(path: Path, width: float, height: float) -> Iterator[Axes]:
    """Axes in inches that are saved at the end."""
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        yield canvas.subplots()
        _save(canvas, path)


def _save(canvas: Canvas, path: Path) -> None:
    stamp = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with atomic_file(path) as aside:
        canvas.savefig(aside, format=path.suffix[1:], dpi=110, metadata=stamp)
