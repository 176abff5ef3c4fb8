"""The demo's page leads to the watches' own."""

import re
from pathlib import Path
from urllib.parse import unquote

from rich.console import Console

from app.demo.loop import Watch
from app.demo.pages import write_report
from app.demo.story import Story
from app.local_runner import PipelineRun


def test_the_report_links_every_watch_s_page_from_where_it_lies(tmp_path: Path) -> None:
    evaluation, drift = tmp_path / "runs" / "evaluation", tmp_path / "runs" / "watch of 12 o'clock" / "drift.html"
    for path in (evaluation / "report.html", drift, tmp_path / "sheet.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("page")
    watch = Watch("noon", {"summary": "No drift."}, {"action": "watch", "reasons": []}, drift)
    trained = PipelineRun({"evaluation": evaluation}, [])
    write_report(tmp_path / "report.html", Story(Console()), tmp_path / "sheet.png", trained, [watch])
    [link] = re.findall(r'<a href="([^"]+)"', (tmp_path / "report.html").read_text())
    assert (tmp_path / unquote(link)).samefile(drift)
