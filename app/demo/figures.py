"""The one figure of each stage that a person wants in the demo's table."""

from collections.abc import Callable, Mapping
from typing import Any

from app.telling import figures_line
from lookalike.storage import StageRecord

Figures = Mapping[str, Any]


def stage_figure(record: StageRecord) -> str:
    """One line about a stage; unknown stages tell their first figures."""
    line = TELLERS.get(record.stage, lambda figures: figures_line(record))(record.figures)
    return f"{line} (reused)" if record.reused else line


def drift_figure(drift: Figures) -> str:
    """The watch's finding in one sentence."""
    return str(drift["summary"])


def decision_figure(decision: Figures) -> str:
    """Action and reasons."""
    return f"{decision['action']}: {' '.join(decision['reasons'])}"


def _evaluated(figures: Figures) -> str:
    line = f"fine precision@4 {figures['challenger_fine_precision_at_4']:.3f}"
    for name in ("baseline", "champion"):
        if f"{name}_fine_precision_at_4" in figures:
            line += f", {name} {figures[f'{name}_fine_precision_at_4']:.3f}"
    return line + (", promoted" if figures["promote"] else ", held: " + " ".join(figures["reasons"]))


TELLERS: dict[str, Callable[[Figures], str]] = {
    "evaluate": _evaluated,
}
