"""The judged titles stand for the lexicon as it is now, and the interval around their share is Wilson's."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.lexicon import SHEET, check_current, draw, figures, precisions, read_stated, wilson
from lookalike.errors import EvaluationError

STATED = pd.DataFrame(
    {
        "title": [f"title {number}" for number in range(20)],
        "pattern": ["solid", None] * 10,
        "sleeve": ["short"] * 4 + [None] * 16,
    }
)


def test_every_attribute_gets_its_share_of_titles_and_none_is_drawn_twice() -> None:
    sheet = draw(STATED, titles=6, seed=0)
    assert sheet["title"].nunique() == 6
    assert (sheet["attribute"] == "sleeve").sum() >= 3
    assert not sheet.duplicated(["title", "attribute"]).any()
    pd.testing.assert_frame_equal(sheet, draw(STATED, titles=6, seed=0))


def test_all_that_a_drawn_title_states_is_judged() -> None:
    check_current(draw(STATED, titles=8, seed=1), STATED)


def test_a_lexicon_that_reads_a_judged_title_otherwise_is_refused() -> None:
    sheet = draw(STATED, titles=12, seed=0)
    changed = STATED.assign(pattern=STATED["pattern"].replace("solid", "plain"))
    with pytest.raises(EvaluationError, match="draw a new sheet with another seed"):
        check_current(sheet, changed)
    with pytest.raises(EvaluationError, match=r"title \d+"):
        check_current(sheet, STATED.assign(sleeve="short"))


def test_an_open_verdict_is_refused() -> None:
    with pytest.raises(EvaluationError, match="takes yes or no"):
        precisions(draw(STATED, titles=4, seed=0))


def test_precision_counts_verdicts_and_coverage_counts_products() -> None:
    sheet = draw(STATED, titles=20, seed=0).assign(right="yes")
    sheet.loc[sheet.index[sheet["attribute"] == "sleeve"][:1], "right"] = "no"
    found = figures(sheet, STATED)
    assert (found["lexicon_precision_sleeve"].value, found["lexicon_precision_sleeve"].n) == (0.75, 4)
    assert (found["lexicon_coverage_pattern"].value, found["lexicon_coverage_pattern"].n) == (0.5, 20)


@pytest.mark.parametrize(
    ("right", "judged", "low", "high"),
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662)],  # the last is Newcombe's (1998, table I)
)
def test_the_interval_is_wilsons(right: int, judged: int, low: float, high: float) -> None:
    assert wilson(right, judged) == pytest.approx((low, high), abs=1e-4)


def test_the_committed_verdicts_are_of_the_lexicon_as_it_is(fpi_folder: Path) -> None:
    sheet = pd.read_csv(SHEET, dtype=str, keep_default_na=False)
    check_current(sheet, read_stated(str(fpi_folder)).dropna(subset="title").drop_duplicates("title"))
    assert sum(judged for _, judged in precisions(sheet).values()) == len(sheet)
    assert sheet["title"].nunique() == 200
