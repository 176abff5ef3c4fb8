"""Clicks and purchases posted to a real server come back joined to the answers they are about."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.feedback.events import FeedbackSettings, read_feedback
from lookalike.feedback.joining import MATCHED, join_feedback
from lookalike.search.query_log import read_query_log
from lookalike.search.query_log_keeping import QueryLogSettings
from serving.access.control import AccessSettings
from serving.access.keys import new_key
from serving.query_log import QueryLog
from tests.search.shop import Shop, photo
from tests.serving.running import Client, engines_of, put_live, running, settings, until

SHOP = Shop()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, dict[str, str], Path]]:
    folder = tmp_path_factory.mktemp("feedback")
    put_live(folder / "releases", SHOP)
    access = AccessSettings(keys=f"file:{folder / 'keys.yaml'}", per_minute=6000, burst=200)
    key = {"X-API-Key": new_key(folder / "keys.yaml", "web")}
    kept = FeedbackSettings(seconds_per_part=0.05, most_events=3, request_bytes=2_000)
    chosen = settings(folder, access=access, feedback=folder / "feedback", feedback_log=kept)
    log = QueryLog(folder / "log", QueryLogSettings(seconds_per_part=0.05))
    with running(chosen, engines_of(SHOP), log) as client:
        yield client, key, folder


def event(answer: str, product: str, place: int, **more: object) -> dict[str, object]:
    return {"request_id": answer, "product_id": product, "position": place, "kind": "click", **more}


def test_a_click_finds_the_answer_it_is_about(served: tuple[Client, dict[str, str], Path]) -> None:
    client, key, folder = served
    asked = [
        client.http.get("/products/p001/similar", headers=key),
        client.http.post("/search", files={"photo": photo(1)}, headers=key),
    ]
    for answer in asked:
        second = answer.json()["hits"][1]["product_id"]
        posted = event(answer.headers["x-request-id"], second, 1, session="shopper@example.com")
        told = client.http.post("/feedback", json={"events": [posted]}, headers=key)
        assert (told.status_code, told.json()) == (200, {"accepted": 1})
    until(lambda: len(read_feedback(folder / "feedback")) == 2)
    until(lambda: len(read_query_log(folder / "log", photos_only=False)) == 2)
    events = read_feedback(folder / "feedback")
    assert events["caller"].to_pylist() == ["web"] * 2
    assert "shopper@example.com" not in events["session"].to_pylist()
    found = join_feedback(events, read_query_log(folder / "log", photos_only=False))
    assert found.events == {MATCHED: 2}
    assert found.shown.loc[found.shown["clicked"], "position"].tolist() == [1, 1]
    assert found.shown.loc[found.shown["clicked"], "query"].tolist() == ["p001", None]


def test_a_click_finds_an_answer_given_over_grpc(tmp_path: Path) -> None:
    put_live(tmp_path / "releases", SHOP)
    kept = FeedbackSettings(seconds_per_part=0.05)
    log = QueryLog(tmp_path / "log", QueryLogSettings(seconds_per_part=0.05))
    chosen = settings(tmp_path, feedback=tmp_path / "feedback", feedback_log=kept)
    with running(chosen, engines_of(SHOP), log) as client:
        _, given = client.grpc_named([photo(1)], named="cart-17")
        answers, made = client.grpc_named([photo(2), photo(3)], named="no id!")
        assert (given, len(made)) == ("cart-17", 32)
        last = json.loads(answers.outputs[0].contents.bytes_contents[1])["hits"][0]["product_id"]
        told = client.http.post("/feedback", json={"events": [event(f"{made}/1", last, 0)]})
        assert told.status_code == 200
        until(lambda: len(read_feedback(tmp_path / "feedback")) == 1)
        until(lambda: len(read_query_log(tmp_path / "log", photos_only=False)) == 3)
    logged = read_query_log(tmp_path / "log", photos_only=False)
    assert set(logged["request_id"].to_pylist()) == {"cart-17", f"{made}/0", f"{made}/1"}
    found = join_feedback(read_feedback(tmp_path / "feedback"), logged)
    assert found.events == {MATCHED: 1}
    assert found.shown.loc[found.shown["clicked"], "product_id"].tolist() == [last]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"events": []}, 400, "events"),
        ({"events": [event("a", "p", 0)] * 4}, 400, "4 events; at most 3"),
        ({"events": [event("a", "p", -1)]}, 400, "events.0.position"),
        ({"events": [{**event("a", "p", 0), "kind": "view"}]}, 400, "events.0.kind"),
        ({"events": [event("a", "p", 0, price=3)]}, 400, "events.0.price"),
        ({"events": [event("a", "p", 0, time="2026-11-21T12:00:00")]}, 400, "time zone"),
        ({"events": [event("a", "p" * 3_000, 0)]}, 413, "at most 2000"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    served: tuple[Client, dict[str, str], Path], body: dict[str, object], status: int, words: str
) -> None:
    client, key, _ = served
    answer = client.http.post("/feedback", json=body, headers=key)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_nobody_posts_without_a_key(served: tuple[Client, dict[str, str], Path]) -> None:
    assert served[0].http.post("/feedback", json={"events": [event("a", "p", 0)]}).status_code == 401


def test_a_server_without_a_folder_says_that_it_keeps_none(tmp_path: Path) -> None:
    put_live(tmp_path / "releases", SHOP)
    with running(settings(tmp_path), engines_of(SHOP)) as client:
        answer = client.http.post("/feedback", json={"events": [event("a", "p", 0)]})
    assert (answer.status_code, answer.json()) == (501, {"error": "this server keeps no feedback"})
