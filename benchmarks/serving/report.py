"""From finished measurements to the committed page: its tables."""

from benchmarks.pages import fill
from benchmarks.serving.plan import DOCS, Plan
from benchmarks.serving.steps import DETAILS, SUBJECT
from benchmarks.serving.tables import TABLES
from lookalike.storage import atomic_file, read_json

PAGE = "serving-benchmarks.md"


def write_report(plan: Plan) -> None:
    """Make the page's tables anew from the recorded numbers; the page's prose comes from docs/."""
    results, docs = plan.destination.results, plan.destination.docs
    figures, details = read_json(results / f"{SUBJECT}.json")["figures"], read_json(results / DETAILS)
    page = fill((DOCS / PAGE).read_text(encoding="utf-8"), figures, details, TABLES)
    with atomic_file(docs / PAGE) as aside:
        aside.write_text(page, encoding="utf-8")
