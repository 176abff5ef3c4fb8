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
    """Action and the reason that decided; the report has all of them."""
    return f"{decision['action']}: {decision['reasons'][0]}"


def _validated(figures: Figures) -> str:
    return (
        f"{figures['products']:,} products, {figures['photos']:,} photos, {figures['quarantined']} quarantined, "
        f"{figures['near_duplicate_groups']} near-duplicate groups"
    )


def _split(figures: Figures) -> str:
    return f"{figures['train']:,} train, {figures['validation']:,} validation, {figures['test']:,} test products"


def _collected(figures: Figures) -> str:
    alarms = f"; {'; '.join(figures['alarms'])}" if figures["alarms"] else ""
    return f"{figures['clicked']:,} clicks to learn from, {figures['labelled']:,} labelled answers to judge by{alarms}"


def _evaluated(figures: Figures) -> str:
    line = f"fine precision@4 {figures['challenger_fine_precision_at_4']:.3f}"
    for name, who in (("baseline", "frozen backbone"), ("champion", "champion")):
        if f"{name}_fine_precision_at_4" in figures:
            line += f", {who} {figures[f'{name}_fine_precision_at_4']:.3f}"
    recall = f"; damaged recall@10 {figures['challenger_known_item_recall_at_10']:.3f}"
    verdict = "promoted" if figures["promote"] else f"held: {figures['reasons'][0]}"
    return f"{line}{recall}; {verdict}"


def _indexed(figures: Figures) -> str:
    recall = figures["recall_at_10"]
    return f"{figures['count']:,} photos, recall@10 {recall['value']:.3f} against exact search (n {recall['n']})"


TELLERS: dict[str, Callable[[Figures], str]] = {
    "draw_shop": lambda figures: f"{figures['rows']} products, {figures['defects']} planted defects",
    "validate": _validated,
    "split": _split,
    "collect_feedback": _collected,
    "mine": lambda figures: f"{figures['triplets']:,} triplets for {figures['anchors']:,} anchors",
    "train": lambda figures: f"epoch {figures['epoch']}, {figures['photos']:,} photos, loss {figures['loss']:.2f}",
    "evaluate": _evaluated,
    "export": lambda figures: (
        f"{figures['onnx_megabytes']:.1f} MB ONNX, differs from PyTorch by {figures['parity_max_difference']:.0e}"
    ),
    "index": _indexed,
    "features": lambda figures: f"{figures['products']:,} products online, {figures['read_back']} read back",
}
