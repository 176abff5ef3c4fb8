"""Events count only for what was shown, where it was shown, to whoever was shown it, and in time."""

from datetime import UTC, datetime, timedelta

import pytest

from lookalike.feedback.events import Feedback, feedback_table
from lookalike.feedback.joining import LATE, MATCHED, NOT_SHOWN, REPEATED, UNKNOWN, Joined, join_feedback
from lookalike.search.query_log import LoggedQuery, query_log_table

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def answer(name: str | None, *hits: str, asked: str | None = "q") -> LoggedQuery:
    scores = tuple(0.9 - 0.1 * place for place in range(len(hits)))
    return LoggedQuery(NOON, "r", "m", 5.0, hits, None, scores, name, asked)


def event(name: str, product: str, place: int, kind: str = "click", **more: object) -> Feedback:
    values = {"received": NOON + timedelta(minutes=1), "time": None, "caller": "web", **more}
    return Feedback(request_id=name, product_id=product, position=place, kind=kind, **values)  # type: ignore[arg-type]


def joined(queries: list[LoggedQuery], events: list[Feedback]) -> Joined:
    return join_feedback(feedback_table(events), query_log_table(queries))


def test_every_product_shown_is_a_row_and_events_label_theirs() -> None:
    found = joined(
        [answer("a1", "x", "y", "z"), answer("a2", "y")], [event("a1", "y", 1), event("a1", "y", 1, "purchase")]
    )
    rows = found.shown.set_index(["request_id", "product_id"])
    assert rows.index.tolist() == [("a1", "x"), ("a1", "y"), ("a1", "z"), ("a2", "y")]
    assert rows["position"].tolist() == [0, 1, 2, 0]
    assert rows["score"].tolist() == pytest.approx([0.9, 0.8, 0.7, 0.9])
    assert rows.index[rows["clicked"]].tolist() == rows.index[rows["purchased"]].tolist() == [("a1", "y")]
    assert found.events == {MATCHED: 2}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (event("nobody's", "x", 0), UNKNOWN),
        (event("a1", "x", 1), NOT_SHOWN),
        (event("a1", "never shown", 0), NOT_SHOWN),
        (event("twice", "x", 0), REPEATED),
        (event("a1", "x", 0, received=NOON - timedelta(seconds=1)), LATE),
        (event("a1", "x", 0, received=NOON + timedelta(days=8)), LATE),
    ],
)
def test_what_cannot_be_true_is_counted_and_labels_nothing(said: Feedback, state: str) -> None:
    queries = [answer("a1", "x", "y"), answer("twice", "x"), answer("twice", "x"), answer(None, "x")]
    found = joined(queries, [said])
    assert found.events == {state: 1}
    assert not found.shown["clicked"].any()
    assert set(found.shown["request_id"]) == {"a1"}


def test_a_session_is_the_source_and_without_one_the_caller() -> None:
    events = [event("a1", "x", 0, session="s1"), event("a2", "x", 0), event("a3", "x", 0, caller=None)]
    found = joined([answer(name, "x") for name in ("a1", "a2", "a3")], events)
    assert found.shown["source"].tolist() == ["s1", "web", "unnamed"]


def test_nothing_joins_to_nothing() -> None:
    assert joined([], []).shown.empty
    assert not joined([answer("a1", "x")], []).shown["clicked"].any()
