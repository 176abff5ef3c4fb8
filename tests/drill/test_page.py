"""The page and the table of a drill."""

import re
from pathlib import Path

from app.drill.page import PAGE, timeline, write_page
from app.drill.result import Drill
from app.drill.telling import drill_table
from tests.drill.test_result import QUIET, window

UNSEEN = window(3).model_copy(update={"outcome": "not watched", "score": None, "threshold": None})
DRILL = Drill(
    scenario="colour",
    sentence="every photo has a colour cast",
    release_id="0123456789abcdef",
    queries=100,
    seed=0,
    early=200,
    windows=(QUIET, window(2, "retrain", ["drift"]), UNSEEN),
    expected="drift should speak; a retrain should start",
    as_expected=True,
    conclusion="Drift spoke. As expected.",
)


def test_the_page_holds_everything_itself_and_links_the_watchs_own_pages(tmp_path: Path) -> None:
    write_page(tmp_path, DRILL)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="([^"#]+)"', page) == [
        "windows/001/drift/drift.html",
        "windows/002/drift/drift.html",
    ]
    for words in ("Every photo has a colour cast", "Drift spoke. As expected.", "<b>drift</b>: so it is", "retrain"):
        assert words in page


def test_the_timeline_marks_starts_and_leaves_a_gap_where_nothing_was_measured() -> None:
    svg = timeline(DRILL)
    assert "retrain" in svg and "threshold" in svg
    assert svg == timeline(DRILL)


def test_the_table_has_a_row_per_window() -> None:
    table = drill_table(DRILL)
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    assert [row[:4] for row in rows] == [
        ("1", "", "1.00 / 2.00", "no drift"),
        ("2", "yes", "1.00 / 2.00", "drifted"),
        ("3", "yes", "", "not watched"),
    ]
    assert [row[-1] for row in rows] == ["watch: because", "retrain: because\n(retrain-drift-1)", "watch: because"]
