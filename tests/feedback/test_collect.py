"""From both logs to what mining and the gate read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lookalike.evaluation.recent import read_alarms, read_recent
from lookalike.feedback.co_clicks import with_stand_ins
from lookalike.feedback.collect import CLICKS, CollectSettings, collect_feedback
from lookalike.feedback.events import Feedback, feedback_table
from lookalike.mining.clicks import mine_clicks
from lookalike.mining.settings import MiningSettings
from lookalike.search.query_log import LoggedQuery, query_log_table
from lookalike.storage import run_stage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
IDS = [f"p{number}" for number in range(8)]


def write_logs(folder: Path, queries: list[LoggedQuery], events: list[Feedback]) -> tuple[Path, Path]:
    for name, table in (("query_log", query_log_table(queries)), ("feedback", feedback_table(events))):
        day = folder / name / "day=2026-11-21"
        day.mkdir(parents=True)
        pq.write_table(table, day / "part-1.parquet")
    return folder / "query_log", folder / "feedback"


def write_splits(folder: Path) -> Path:
    """p0 to p5 teach, p6 and p7 measure."""
    table = pd.DataFrame({"product_id": IDS, "split": ["train"] * 6 + ["test"] * 2})

    def work(aside: Path) -> dict[str, int]:
        table.to_parquet(aside / "splits.parquet")
        return {}

    run_stage("split", folder, inputs={}, settings={}, content=["splits.parquet"], work=work)
    return folder


def answer(name: str, asked: str | None, *hits: str) -> LoggedQuery:
    return LoggedQuery(NOON, "r", "m", 5.0, hits, None, tuple(0.9 for _ in hits), name, asked)


def click(name: str, product: str, place: int, kind: str = "click") -> Feedback:
    return Feedback(NOON + timedelta(minutes=1), None, name, product, place, kind, "web", name)  # type: ignore[arg-type]


def test_queries_of_the_train_split_teach_and_the_others_measure(tmp_path: Path) -> None:
    queries = [answer("a", "p0", "p1", "p2", "p3"), answer("b", "p6", "p4", "p5")]
    logs = write_logs(tmp_path, queries, [click("a", "p3", 2), click("b", "p5", 1, "purchase")])
    record = collect_feedback(*logs, write_splits(tmp_path / "splits"), tmp_path / "out", NOON + timedelta(days=1))
    assert record.figures["clicked"] == 1
    clicks = pd.read_parquet(tmp_path / "out" / CLICKS)
    assert clicks["query"].tolist() == ["p0"] * 3
    assert clicks["weight"].tolist() == pytest.approx([0, 0, 3])  # place 3 is looked at a third of the times
    recent = read_recent(tmp_path / "out")
    assert recent["query"].tolist() == ["p6"] * 2
    assert recent["weight"].tolist() == pytest.approx([0, 2 * 3])  # a purchase, at a place seen half the times
    assert recent["source"].tolist() == ["b", "b"]
    assert read_alarms(tmp_path / "out") == ()


def test_mining_reads_what_is_collected_and_sets_clicks_against_what_was_skipped_above(tmp_path: Path) -> None:
    logs = write_logs(tmp_path, [answer("a", "p0", "p1", "p2", "p3")], [click("a", "p2", 1)])
    collect_feedback(*logs, write_splits(tmp_path / "splits"), tmp_path / "out", NOON + timedelta(days=1))
    vectors = np.eye(8, dtype=np.float32)
    vectors[2] = vectors[0]  # what was clicked is alike
    lenient = MiningSettings(click_negative=0.95)
    triplets, _ = mine_clicks(tmp_path / "out" / CLICKS, np.array(IDS, object), vectors, np.full(8, -1), lenient)
    assert (triplets.anchor.tolist(), triplets.positive.tolist(), triplets.negative.tolist()) == ([0], [2], [1])


def test_weights_are_cut_and_looks_may_be_given(tmp_path: Path) -> None:
    logs = write_logs(tmp_path, [answer("a", "p0", "p1", "p2", "p3")], [click("a", "p3", 2)])
    settings = CollectSettings(propensities=(1.0, 0.01), most_weight=4.0)
    out = tmp_path / "out"
    collect_feedback(*logs, write_splits(tmp_path / "splits"), out, NOON + timedelta(days=1), settings)
    assert pd.read_parquet(out / CLICKS)["weight"].tolist() == pytest.approx([0, 0, 4])


def test_of_a_photo_s_answer_the_first_bought_stands_in_and_one_click_teaches_nothing() -> None:
    rows = pd.DataFrame(
        {
            "request_id": ["a"] * 4 + ["b"] * 2,
            "query": None,
            "product_id": ["p1", "p2", "p3", "p4", "p1", "p2"],
            "position": [0, 1, 2, 3, 0, 1],
            "clicked": [True, False, False, True, True, False],
            "purchased": [False, False, False, True, False, False],
        }
    )
    found = with_stand_ins(rows)
    assert found["query"].tolist() == ["p4"] * 3
    assert found["product_id"].tolist() == ["p1", "p2", "p3"]
    assert found["stand_in"].all()
