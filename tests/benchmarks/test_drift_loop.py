"""The clients of the loop's measure on a real server, and the figures of loops that closed or did not."""

import threading
from pathlib import Path
from typing import Any

import pytest

from benchmarks.drift.loop_clients import ClickingClient, PhotoClient, Watchfulness
from benchmarks.drift.loop_figures import Loop, LoopSettings, figures_of
from lookalike.feedback.events import FeedbackSettings, read_feedback
from lookalike.feedback.joining import MATCHED, join_feedback
from lookalike.search.query_log import read_query_log
from lookalike.search.query_log_keeping import QueryLogSettings
from serving.query_log import QueryLog
from tests.search.shop import Shop, photo
from tests.serving.running import engines_of, put_live, running, settings, until


def answer(release: str, *hits: str) -> dict[str, Any]:
    return {"release_id": release, "hits": [{"photo_id": hit, "score": 0.5} for hit in hits]}


def test_a_release_that_comes_back_and_an_answer_that_changes_within_one_are_faults() -> None:
    known = Watchfulness()
    assert known.fault(answer("old", "a", "b"), "control") is None
    assert known.fault(answer("old", "b"), None) is None
    assert known.fault(answer("old", "b", "a"), "control") == "release old answered the same question in two ways"
    assert known.fault(answer("new", "b", "a"), "control") is None
    assert known.fault(answer("old", "a", "b"), "control") == "release old answered after new"
    assert known.fault(answer("new"), None) == "nothing was found"


def test_clients_ask_through_a_switch_without_a_fault_and_their_clicks_find_their_answers(tmp_path: Path) -> None:
    first, second = Shop(seed=0), Shop(seed=1)
    put_live(tmp_path / "releases", first)
    quick = {"seconds_per_part": 0.05}
    chosen = settings(tmp_path, feedback=tmp_path / "feedback", feedback_log=FeedbackSettings(**quick))
    log, shift = QueryLog(tmp_path / "log", QueryLogSettings(**quick)), threading.Event()
    ordinary, shifted = [photo(seed) for seed in (1, 2)], [photo(seed) for seed in (3, 4)]
    products = [f"p{number:03d}" for number in range(6)]
    with running(chosen, engines_of(first, second), log) as client:
        url = str(client.http.base_url)
        buyer = PhotoClient(url, ordinary, shifted, shift, photo(1))
        shoppers = ClickingClient(url, products, dict.fromkeys(products, "shoes"), seed=0)
        for each in (buyer, shoppers):
            each.start()
        until(lambda: len(buyer.asked) > 20)
        shift.set()
        put_live(tmp_path / "releases", second)
        until(lambda: all(c.asked[-1].release == second.release.release_id for c in (buyer, shoppers)))
        until(lambda: shoppers.clicks > 5)
        for each in (buyer, shoppers):
            each.stop()
    assert [one.fault for one in [*buyer.asked, *shoppers.asked] if one.fault] == shoppers.refused == []
    assert buyer.shifted_at is not None
    events = read_feedback(tmp_path / "feedback")
    joined = join_feedback(events, read_query_log(tmp_path / "log", photos_only=False))
    assert joined.events == {MATCHED: shoppers.clicks}


def test_a_server_that_is_gone_is_a_fault_of_every_question() -> None:
    buyer = PhotoClient("http://127.0.0.1:9", [b""], [b""], threading.Event(), b"")
    buyer.ask()
    assert (buyer.asked[0].fault or "").startswith("no answer: ConnectError")


def loop(seed: int, minutes: float | None, faults: dict[str, int]) -> Loop:
    learned = {"clicked": 40, "click_triplets": 7, "reasons": ["refused for a reason"]}
    return Loop(seed, minutes, minutes and minutes - 1, 2, 1000, faults, 0.4, 60, learned)


def test_figures_tell_the_mean_the_range_and_every_fault() -> None:
    found = figures_of([loop(0, 2.0, {}), loop(1, 3.0, {"status 503: busy": 2})], LoopSettings())
    minutes, failed = found["loop_minutes"], found["loop_failed_queries"]
    assert (minutes.value, minutes.interval, minutes.met, minutes.n) == (2.5, (2.0, 3.0), True, 2)
    assert "seed 1: 3.00 of which 2.00 from the start of the deciding watch" in minutes.how
    assert (failed.value, failed.met, failed.n) == (2, False, 2000)
    assert "2 x status 503: busy" in failed.how


@pytest.mark.parametrize("minutes", [None, 5.5])
def test_a_loop_that_did_not_close_or_took_too_long_misses_the_goal(minutes: float | None) -> None:
    found = figures_of([loop(0, 2.0, {}), loop(1, minutes, {})], LoopSettings())["loop_minutes"]
    assert found.met is False
    told = "1 of 2 loops did not close (seed 1: refused for a reason)" in found.how
    assert told == (minutes is None)
