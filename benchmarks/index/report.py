"""From finished measurements to the committed page: tables and plots."""

from benchmarks.index.plan import Plan
from benchmarks.index.plots import draw_plots
from benchmarks.index.steps import SUBJECT


def write_report(plan: Plan) -> None:
    """Make the page's tables and plots anew from the recorded numbers; the page's prose comes from docs/."""
    draw_plots(SUBJECT.write_page(plan), plan.destination.docs / "figures")
