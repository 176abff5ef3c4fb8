"""From finished measurements to the committed page: tables and plots."""

from pathlib import Path
from typing import Any

from benchmarks.drift.plan import DOCS, Plan
from benchmarks.drift.plots import draw_plots
from benchmarks.drift.steps import DETAILS, SUBJECT
from benchmarks.drift.tables import TABLES
from benchmarks.pages import fill
from lookalike.storage import atomic_file, read_json

PAGE = "drift.md"


def write_report(plan: Plan) -> None:
    """Make the page's tables and plots anew from the recorded numbers; the page's prose comes from docs/."""
    results, docs = plan.destination.results, plan.destination.docs
    figures, details = _kept(results / f"{SUBJECT}.json").get("figures", {}), _kept(results / DETAILS)
    page = fill((DOCS / PAGE).read_text(encoding="utf-8"), figures, details, TABLES)
    draw_plots(details, docs / "figures")
    with atomic_file(docs / PAGE) as aside:
        aside.write_text(page, encoding="utf-8")


def _kept(path: Path) -> dict[str, Any]:
    """What was measured so far."""
    found: dict[str, Any] = read_json(path) if path.is_file() else {}
    return found
