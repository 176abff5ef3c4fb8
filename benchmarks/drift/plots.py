"""The figures of the page on drift, drawn from the committed numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from benchmarks.embedding.plots import STYLE
from lookalike.storage import atomic_file

Details = Mapping[str, Any]
COLOURS = {"unseen_type": "#d9480f", "jpeg_quality": "#1971c2", "season_mix": "#2b8a3e"}
GOALS = {"sudden": 3, "gradual": 8}


def draw_plots(details: Details, folder: Path) -> None:
    """Write every plot whose numbers are there, as SVG."""
    if "delay" in details:
        with matplotlib.rc_context(STYLE):
            canvas = Canvas(figsize=(7.2, 2.8), layout="constrained")
            for axes, kind in zip(canvas.subplots(1, 2, sharey=True), GOALS, strict=True):
                _draw_delays(axes, kind, details["delay"][kind])
            _save(canvas, folder / "drift_delay.svg")
    if "false_alarms" in details:
        with matplotlib.rc_context(STYLE):
            canvas = Canvas(figsize=(3.6, 2.8), layout="constrained")
            _draw_ranks(canvas.subplots(), details["false_alarms"]["ranks"])
            _save(canvas, folder / "drift_false_alarms.svg")


def _draw_delays(axes: Axes, kind: str, told: Details) -> None:
    """Share of episodes in which the shift is believed, by window after it began."""
    days = range(told["days"] + 1)
    for shift, waited in told["waited"].items():
        believed = [np.mean([wait is not None and wait <= day for wait in waited]) for day in days]
        axes.step(days, believed, where="post", color=COLOURS[shift], linewidth=1.2, label=shift.replace("_", " "))
    axes.axvline(GOALS[kind], color="#ced4da", linewidth=0.8)
    axes.set_title(f"{kind} shift", fontsize=9)
    axes.set_xlabel("windows since it began")
    if kind == "sudden":
        axes.set_ylabel("share of episodes believed")
        axes.legend(frameon=False, loc="lower right")


def _draw_ranks(axes: Axes, ranks: Sequence[float]) -> None:
    """How often windows without drift rank below a rate: on the diagonal the rate is what it says."""
    rates = np.geomspace(0.002, 0.5, 80)
    axes.plot(rates, [np.mean(np.asarray(ranks) <= rate) for rate in rates], color="#1971c2", linewidth=1.2)
    axes.plot(rates, rates, color="#ced4da", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("stated false-alarm rate")
    axes.set_ylabel("measured")


def _save(canvas: Canvas, path: Path) -> None:
    with atomic_file(path) as aside:
        canvas.savefig(aside, format="svg", metadata={"Date": None})
