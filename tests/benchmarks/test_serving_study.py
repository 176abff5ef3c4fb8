"""The service study: its judgement of answers, its sums, its page, and short runs of its steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pages import MARKERS, fill
from benchmarks.results import RESULTS
from benchmarks.serving import steps, triton
from benchmarks.serving.connection import photo_request, read_head
from benchmarks.serving.load import Load, side_by_side_ratio
from benchmarks.serving.plan import Places, Plan
from benchmarks.serving.settings import QUICK
from benchmarks.serving.soak import Memory, Struck, recoveries, slope
from benchmarks.serving.steps import SUBJECT, measure
from benchmarks.serving.tables import TABLES
from benchmarks.serving.truth import Truth
from benchmarks.serving.watchers import DEGRADED, FAILED, GOOD, Event
from benchmarks.study import DOCS, Destination, Skipped
from lookalike.storage import read_json


def hit(product: str, score: float, price: float = 1.0) -> dict:
    return {"product_id": product, "score": score, "fields": {"colour": "red"}, "features": {"price": price}}


def answer(*hits: dict, release: str = "first", colour: str = "red") -> dict:
    return {
        "release_id": release,
        "model_fingerprint": f"model of {release}",
        "predicted": {"colour": {"value": colour, "confidence": 0.9}},
        "hits": list(hits),
    }


TRUTH = Truth(
    {
        ("first", 0): answer(hit("a", 0.9), hit("b", 0.8), hit("c", 0.79999), hit("d", 0.1)),
        ("second", 0): answer(hit("d", 0.7), hit("a", 0.6), release="second"),
    }
)


def test_an_answer_is_right_only_for_the_release_it_names() -> None:
    assert TRUTH.wrong(0, answer(hit("a", 0.9), hit("b", 0.8))) == ""
    assert TRUTH.wrong(0, answer(hit("d", 0.7), release="second")) == ""
    assert "place 0" in TRUTH.wrong(0, answer(hit("d", 0.7)))
    assert "none of ours" in TRUTH.wrong(0, answer(hit("a", 0.9), release="third"))


def test_almost_equal_products_may_change_places_and_others_may_not() -> None:
    assert TRUTH.wrong(0, answer(hit("a", 0.9), hit("c", 0.79999))) == ""
    assert "place 1" in TRUTH.wrong(0, answer(hit("a", 0.9), hit("d", 0.1)))
    assert "place 1" in TRUTH.wrong(0, answer(hit("a", 0.9), hit("stranger", 0.8)))
    assert "twice" in TRUTH.wrong(0, answer(hit("a", 0.9), hit("a", 0.9)))
    assert "twice" in TRUTH.wrong(0, answer())


def test_wrong_features_are_wrong_and_absent_ones_are_not() -> None:
    late = {name: value for name, value in hit("a", 0.9).items() if name != "features"}
    assert TRUTH.wrong(0, answer({**late, "features_absent": True})) == ""
    assert "does not have" in TRUTH.wrong(0, answer(hit("a", 0.9, price=2.0)))
    assert "predicted" in TRUTH.wrong(0, answer(hit("a", 0.9), colour="blue"))


def event(ended: float, outcome: str) -> Event:
    return Event("plain", ended - 0.1, ended, outcome, "", "")


def test_all_is_well_once_requests_are_answered_fully_for_some_time() -> None:
    struck = [Struck("killed", 10, 10), Struck("stopped", 70, 80), Struck("switched", 130, 130)]
    events = [event(11, FAILED), event(12.5, FAILED), event(13, GOOD), event(75, FAILED), event(81, DEGRADED)]
    assert recoveries(struck, events) == [2.5, 1.0, 0.0]
    assert recoveries(struck, [*events[:3], event(40, DEGRADED), *events[3:]]) == [2.5, 1.0, 0.0]


def test_the_slope_is_that_of_memory_after_the_start() -> None:
    seconds = np.arange(3_600.0)
    mib = np.where(seconds < 500, 100, 300 + 36 * seconds / 3_600)
    found, (low, high) = slope(Memory(seconds.tolist(), mib.tolist()))
    assert found == pytest.approx(36, rel=0.01)
    assert low <= found <= high


def test_a_ratio_is_that_of_turns_side_by_side() -> None:
    floor = np.array([1.0, 2.0, 10.0])
    assert side_by_side_ratio(1.5 * floor, floor) == (pytest.approx(1.5), (pytest.approx(1.5), pytest.approx(1.5)))


def test_the_interval_of_a_quantile_holds_it() -> None:
    load = Load(np.random.default_rng(0).exponential(10, 4_000).tolist(), 0, 10, 1, 1)
    low, high = load.interval(0.99, seed=0)
    assert low < load.quantile(0.99) < high < 1.5 * low


def test_requests_are_whole_and_heads_are_read() -> None:
    request = photo_request(b"photo", 3)
    assert request.startswith(b"POST /search?k=3 HTTP/1.1\r\n")
    assert request.endswith(b"Content-Length: 5\r\n\r\nphoto")
    assert read_head(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\nretry-after: 1") == (503, 12)


def test_the_page_has_every_table_once_and_shows_the_committed_numbers() -> None:
    page = (DOCS / SUBJECT.page).read_text(encoding="utf-8")
    assert sorted(name for _, name, _ in MARKERS.findall(page)) == sorted(TABLES)
    if (RESULTS / SUBJECT.details).is_file():
        figures, details = read_json(RESULTS / f"{SUBJECT.name}.json")["figures"], read_json(RESULTS / SUBJECT.details)
        told = {key: figure for key, figure in figures.items() if f"`{key}`" in page}
        assert fill(page, told, details, TABLES) == page


def test_the_page_without_numbers_says_so(tmp_path: Path) -> None:
    assert fill("<!-- table: legs -->\nold\n<!-- end -->", {}, {}, TABLES).count("not measured yet") == 1


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A trial on a drawn shop; its shops are made by the first step and kept for the others."""
    root = tmp_path_factory.mktemp("study")
    aside = Destination(root / "report", root / "report")
    return Plan(catalogue="", encoders=root, places=Places(root), study=QUICK, destination=aside, quick=True)


@pytest.mark.slow
def test_switching_releases_under_load_fails_no_request_and_mixes_no_answer(plan: Plan) -> None:
    found = measure(plan, "swaps")
    assert {key: figure.value for key, figure in found.figures.items()} == {
        "serving_swap_failed": 0,
        "serving_swap_mixed": 0,
    }
    assert found.details["outcomes"]["good"] > 0


@pytest.mark.slow
def test_no_part_that_dies_or_stops_makes_an_answer_wrong(plan: Plan) -> None:
    found = measure(plan, "soak")
    assert found.figures["soak_wrong_answers"].value == 0
    assert sum(told.get("good", 0) for told in found.details["faults"].values()) > 0


@pytest.mark.slow
def test_a_flood_is_measured_with_what_was_asked_and_answered(plan: Plan) -> None:
    found = measure(plan, "overload")
    asked = sum(sum(statuses.values()) for statuses in found.details["statuses"])
    assert found.figures["overload_goodput_ratio"].n == asked
    assert found.figures["overload_goodput_ratio"].value > 0


def test_every_measurement_of_the_service_is_a_step() -> None:
    package = Path(steps.__file__).parent
    modules = {path.stem for path in package.glob("*.py") if "\ndef measure(plan: Plan) ->" in path.read_text()}
    assert modules - {"steps"} == set(steps.MEASURES)


def test_a_step_without_its_input_is_skipped_with_a_reason(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(Skipped, match="--models names the exports"):
        measure(replace(plan, quick=False), "fusion")
    monkeypatch.setattr(triton, "TRITON", tmp_path)
    with pytest.raises(Skipped, match=str(tmp_path)):
        measure(plan, "triton")
    assert not plan.places.measured("fusion").exists()


@pytest.mark.slow
def test_decoding_and_fusion_are_measured_on_the_drawn_shop(plan: Plan) -> None:
    assert measure(plan, "decoding").figures["decode_ratio"].value > 0
    assert measure(plan, "fusion").figures["fusion_gain"].n > 0
