"""The results page says what the committed numbers say."""

import pytest

from benchmarks.embedding.details import DETAILS
from benchmarks.embedding.report import DOCS, PAGE, SUBJECT
from benchmarks.embedding.tables import TABLES
from benchmarks.pages import MARKERS, fill
from benchmarks.results import RESULTS
from lookalike.storage import read_json

FIGURE = {"goal": "", "met": None, "interval": [0.7, 0.9], "n": 12, "how": "longer: x"}
FIGURES = {
    "mining_gain": FIGURE | {"value": 1.5, "goal": ">= 2.0, intervals apart", "met": False},
    "known_item_recall_at_1": FIGURE | {"value": 0.8},
    "damage_jpeg": FIGURE | {"value": None, "interval": None, "goal": ">= 0.90", "met": False},
    "macro_f1_type": FIGURE | {"value": 0.75},
    "macro_f1_ceiling_type": FIGURE | {"value": 0.85},
}
METRICS = ("fine_precision_at_4", "fine_precision_at_1", "coarse_precision_at_4", "ndcg_at_10", "level_4_at_4")
DETAILS_OF_TWO = {
    "arms": {
        arm: {
            "seeds": 3,
            **{split: {metric: [value, 0.1, 0.6] for metric in METRICS} for split in ("test", "validation")},
        }
        for arm, value in (("multi_attribute", 0.2), ("multi_task_hard", 0.4))
    }
}


def table(name: str) -> str:
    return fill(f"before\n<!-- table: {name} -->\nold\n<!-- end -->\nafter", FIGURES, DETAILS_OF_TWO, TABLES)


def test_the_page_has_every_table_once() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    assert [name for _, name, _ in MARKERS.findall(page)] == list(TABLES)


def test_the_pages_tables_are_those_made_from_the_committed_numbers() -> None:
    if not (RESULTS / DETAILS).is_file():
        pytest.skip("the experiment's numbers are not committed; `make bench-embedding` writes them")
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    assert fill(page, read_json(RESULTS / f"{SUBJECT}.json")["figures"], read_json(RESULTS / DETAILS), TABLES) == page


def test_prose_around_a_table_stays_and_filling_again_changes_nothing() -> None:
    filled = table("goals")
    assert filled.startswith("before\n") and filled.endswith("\nafter") and "old" not in filled
    assert fill(filled, FIGURES, DETAILS_OF_TWO, TABLES) == filled


def test_a_missed_goal_and_a_figure_that_was_not_measured_are_shown_as_such() -> None:
    assert "| `mining_gain` | 1.500 | 0.700 to 0.900 | >= 2.0, intervals apart | **no** | 12 |" in table("goals")
    assert "| `damage_jpeg` | not measured |  | >= 0.90 | **no** | 12 |" in table("goals")


def test_arms_stand_best_first_with_what_they_learn_from() -> None:
    rows = [line for line in table("arms").splitlines() if line.startswith("| `")]
    assert [row.split(" | ")[0] for row in rows] == ["| `multi_task_hard`", "| `multi_attribute`"]
    assert "attributes + triplets + reconstruction, hard negatives half-way" in rows[0]


def test_heads_stand_beside_their_ceiling() -> None:
    assert "| type | 0.750 (0.700 to 0.900) | 0.850 (0.700 to 0.900) |" in table("heads")
