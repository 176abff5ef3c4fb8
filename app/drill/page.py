"""`drill.html`: the scores against their threshold, where the shift began, and what everybody said."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from app.drill.result import Drill
from app.drill.watching import window_folder
from lookalike.evaluation.plots import timeline_plot
from monitoring.drift import REPORT

PAGE = "drill.html"


def write_page(folder: Path, drill: Drill) -> None:
    """One self-contained page beside `drill.json`; each window links the watch's own."""
    environment = Environment(loader=PackageLoader("app.drill"), autoescape=select_autoescape())
    pages = {
        window.number: window_folder(window.number) / "drift" / REPORT
        for window in drill.windows
        if window.outcome != "not watched"
    }
    page = environment.get_template("drill.html.jinja").render(drill=drill, plot=timeline(drill), pages=pages)
    (folder / PAGE).write_text(page, encoding="utf-8")


def timeline(drill: Drill) -> str:
    """Score and threshold by window as SVG, the shift shaded, the starts of runs marked."""
    lines = {
        "score (powers of ten)": [window.score for window in drill.windows],
        "threshold": [window.threshold for window in drill.windows],
    }
    shaded = [window.number for window in drill.windows if window.shifted]
    return timeline_plot("drill", lines, shaded, {w.number: w.action for w in drill.windows if w.started})
