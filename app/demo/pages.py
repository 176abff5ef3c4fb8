"""What the demo leaves to look at: a contact sheet and one page that opens anywhere."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, select_autoescape

from app.demo.story import Story
from app.demo.traffic import Answered
from app.local_runner import PipelineRun
from lookalike.catalog.products import load_catalogue
from lookalike.evaluation.contact_sheet import SHOWN, SheetRow, draw_sheet, judge
from lookalike.evaluation.outputs import PAGE
from lookalike.evaluation.truth import read_truth
from lookalike.storage import atomic_file

if TYPE_CHECKING:
    from app.demo.loop import Watch

ROWS = 12


def write_contact_sheet(path: Path, trained: PipelineRun, answered: Sequence[Answered]) -> None:
    """Draw queries from all of the traffic beside what the service answered, as a PNG."""
    catalogue = load_catalogue(trained.outputs["validated"])
    truth = read_truth(catalogue, trained.outputs["splits"])
    place = {product: row for row, product in enumerate(catalogue.products["product_id"])}
    shown = answered[:: max(1, len(answered) // ROWS)][:ROWS]
    hits = [one.answer["hits"][:SHOWN] for one in shown]
    contents = catalogue.photo_contents([hit["photo_id"] for found in hits for hit in found])
    rows = [
        SheetRow(
            one.query.photo,
            tuple(contents[hit["photo_id"]] for hit in found),
            tuple(judge(truth, place[one.query.product_id], place[hit["product_id"]]) for hit in found),
        )
        for one, found in zip(shown, hits, strict=True)
    ]
    with atomic_file(path) as aside:
        draw_sheet(rows).save(aside, format="PNG")


def write_report(
    path: Path, story: Story, contact_sheet: Path, trained: PipelineRun, watches: Sequence["Watch"]
) -> None:
    """One self-contained page: the table, the contact sheet, what the watches saw, and the evaluation."""
    environment = Environment(loader=PackageLoader("app.demo"), autoescape=select_autoescape())
    page = environment.get_template("report.html.jinja").render(
        rows=story.rows,
        seconds=story.seconds,
        sheet=base64.b64encode(contact_sheet.read_bytes()).decode(),
        watches=[(watch, quote(os.path.relpath(watch.drift_page, path.parent))) for watch in watches],
        evaluation=(trained.outputs["evaluation"] / PAGE).read_text(encoding="utf-8"),
    )
    with atomic_file(path) as aside:
        aside.write_text(page, encoding="utf-8")
