"""The drift stage from files to files."""

import base64
import gzip
import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from lookalike.config import load_config
from lookalike.errors import ReleaseMismatch
from lookalike.storage import read_json, write_json
from monitoring.drift import detect_drift
from monitoring.history import read_history
from monitoring.result import DriftResult
from monitoring.sequence import SequenceRule
from monitoring.settings import DriftSettings
from monitoring.sketch import keep_early_traffic
from tests.monitoring.shop import NOW, World, log_queries, make_release, observations

WORLD = World(5)
SETTINGS = DriftSettings(draws=199, proof_draws=100, report_rows=60)


@pytest.fixture
def shop(tmp_path: Path) -> tuple:
    release, folder = make_release(tmp_path / "releases", observations(WORLD.vectors(300, 1), 1))
    return release, folder, tmp_path / "log", tmp_path / "drift"


def test_clean_queries_do_not_drift(shop: tuple) -> None:
    release, folder, log, output = shop
    log_queries(log, release, observations(WORLD.vectors(150, 2), 2), hits=("p1",))
    record = detect_drift(log, folder, output, SETTINGS, NOW)
    result = read_json(output / "drift.json")
    assert (result["drifted"], result["n_reference"], result["n_current"]) == (False, 300, 150)
    assert result["score"] <= result["threshold"]
    assert result["rank"] > SETTINGS.alpha
    assert record.figures["drifted"] is False


def test_another_kind_of_query_drifts_and_the_result_says_what_moved(shop: tuple) -> None:
    release, folder, log, output = shop
    shifted = observations(WORLD.vectors(150, 2, shift=1.5), 2, margin=0.03, shares=(0.1, 0.1, 0.1, 0.7))
    log_queries(log, release, shifted, hits=("p1",))
    detect_drift(log, folder, output, SETTINGS, NOW)
    result = read_json(output / "drift.json")
    assert result["drifted"]
    assert result["rank"] == 1 / 200
    moved = {stream["name"] for stream in result["streams"] if stream["moved"]}
    assert {"margin", "colour", "embeddings, mean"} <= moved
    assert "top1_score" not in moved
    assert result["summary"].startswith("The queries drifted: surprise")
    assert result["slices"][0]["words"].startswith("colour 'white' went from")
    assert result["model_age_days"] == 30


def test_the_page_is_self_contained_small_and_names_the_figures(shop: tuple) -> None:
    release, folder, log, output = shop
    log_queries(log, release, observations(WORLD.vectors(150, 2, shift=1.5), 2, margin=0.03))
    detect_drift(log, folder, output, SETTINGS, NOW)
    page = (output / "drift.html").read_text()
    assert len(page) < 3_000_000
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    for words in ("The queries drifted", "How sure that is", "margin: the median went", "Open Evidently"):
        assert words in page
    packed = re.search(r'id="packed">([^<]+)<', page)
    assert packed is not None
    evidently = gzip.decompress(base64.b64decode(packed[1])).decode()
    assert "Drift in embeddings" in evidently
    assert not re.search(r"""<(script|link)[^>]+(src|href)=""", evidently)


def test_too_little_traffic_is_an_outcome_and_not_an_error(shop: tuple) -> None:
    release, folder, log, output = shop
    log_queries(log, release, observations(WORLD.vectors(20, 2, shift=3), 2))
    detect_drift(log, folder, output, SETTINGS, NOW)
    result = read_json(output / "drift.json")
    assert (result["outcome"], result["drifted"], result["score"]) == ("not enough traffic", False, None)
    assert result["summary"] == "Not enough traffic: 20 queries against 300 reference rows; 50 of each are needed."
    page = (output / "drift.html").read_text()
    assert "Nothing was measured" in page and "Not enough traffic: 20 queries" in page
    assert "Windows over time" not in page and "New queries" not in page


def test_an_empty_log_is_too_little_traffic(shop: tuple) -> None:
    _, folder, log, output = shop
    record = detect_drift(log, folder, output, SETTINGS, NOW)
    assert record.figures["outcome"] == "not enough traffic"


def test_the_same_rows_are_compared_once(shop: tuple) -> None:
    release, folder, log, output = shop
    log_queries(log, release, observations(WORLD.vectors(60, 2), 2))
    first = detect_drift(log, folder, output, SETTINGS, NOW)
    again = detect_drift(log, folder, output, SETTINGS, NOW + timedelta(hours=1))
    assert not first.reused
    assert again.reused
    assert again.content == first.content


def test_a_new_window_of_the_same_size_uses_the_stored_calibration(shop: tuple) -> None:
    release, folder, log, output = shop
    settings = SETTINGS.model_copy(update={"max_rows": 60})
    log_queries(log, release, observations(WORLD.vectors(60, 2), 2), end=NOW - timedelta(days=1))
    detect_drift(log, folder, output, settings, NOW)
    stored = json.loads((output / "calibration.json").read_text())
    marked = {**stored, "false_alarm_rate": 0.123}  # whoever reads 0.123 read the stored file
    (output / "calibration.json").write_text(json.dumps(marked))
    log_queries(log, release, observations(WORLD.vectors(60, 3), 3))
    assert not detect_drift(log, folder, output, settings, NOW).reused
    assert read_json(output / "drift.json")["false_alarm_rate"] == 0.123


def test_queries_of_another_model_stop_the_stage_and_leave_nothing_behind(shop: tuple) -> None:
    release, folder, log, output = shop
    log_queries(log, release, observations(WORLD.vectors(60, 2), 2), fingerprint="0" * 64)
    with pytest.raises(ReleaseMismatch):
        detect_drift(log, folder, output, SETTINGS, NOW)
    assert not output.exists()


def test_a_window_without_scores_or_attributes_is_still_measured(shop: tuple) -> None:
    release, folder, log, output = shop
    rows = observations(WORLD.vectors(60, 2), 2)
    bare = [type(row)(row.vector, None, None, {}, {}, 60, 80, 2000) for row in rows]
    log_queries(log, release, bare)
    detect_drift(log, folder, output, SETTINGS, NOW)
    result = read_json(output / "drift.json")
    assert result["outcome"] == "measured"
    assert {stream["name"] for stream in result["streams"]} == {"embeddings", "embeddings, mean", "empty_answers"}
    assert "(empty_answers) against the threshold" in result["summary"]  # none was empty before, all are now


def test_photos_are_compared_only_with_those_of_shoppers(shop: tuple) -> None:
    """The evaluation makes its photos itself: shoppers' cameras are judged once early traffic is kept."""
    release, folder, log, output = shop
    settings = SETTINGS.model_copy(update={"early_rows": 200})
    log_queries(log, release, observations(WORLD.vectors(200, 2), 2), end=NOW - timedelta(days=1), hits=("p1",))
    coarse = observations(WORLD.vectors(150, 3), 3, quality=30.0)
    log_queries(log, release, coarse, hits=("p1",))
    detect_drift(log, folder, output, settings.model_copy(update={"max_rows": 150}), NOW)
    assert not read_json(output / "drift.json")["drifted"]
    assert keep_early_traffic(log, release, folder, settings, NOW)
    detect_drift(log, folder, output, settings, NOW)
    result = read_json(output / "drift.json")
    assert (result["drifted"], result["n_reference"], result["n_current"]) == (True, 500, 150)
    assert result["streams"][0]["words"] == "jpeg quality: the median went from 90 to 30"


def watched(shop: tuple, history: Path, settings: DriftSettings, shifts: tuple[float, ...]) -> list[DriftResult]:
    """A day of 150 queries for every shift, each watched and remembered."""
    release, folder, log, output = shop
    told = []
    for day, shift in enumerate(shifts):
        end = NOW + timedelta(days=day)
        log_queries(log, release, observations(WORLD.vectors(150, 2 + day, shift), 2 + day), end, hits=("p1",))
        detect_drift(log, folder, output, settings, end, history)
        told.append(load_config(DriftResult, output / "drift.json"))
        write_json(history, read_history(history).seeing(told[-1], 3).model_dump(mode="json"))
    return told


def test_the_rule_over_several_windows_reads_the_history(shop: tuple, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"max_rows": 150})
    told = watched(shop, tmp_path / "history.json", settings, (0.0, 1.5, 1.5))
    assert [result.believed for result in told] == [False, False, True]
    assert told[-1].sequence is not None
    assert told[-1].sequence.recent == (False, True, True)


@pytest.mark.parametrize("window", [{"max_rows": 150}, {"hours": 20.0}])
def test_a_small_shift_is_believed_when_the_last_windows_are_judged_as_one(
    shop: tuple, tmp_path: Path, window: dict
) -> None:
    settings = SETTINGS.model_copy(update={**window, "alpha": 0.005, "rule": SequenceRule(together=0.003)})
    told = watched(shop, tmp_path / "history.json", settings, (0.6, 0.6, 0.6))
    assert sum(result.drifted for result in told) < 2
    assert [result.believed for result in told] == [False, False, True]
    together = told[-1].sequence.together  # type: ignore[union-attr]
    assert together is not None
    assert (together.rows, together.drifted) == (450, True)


def test_windows_too_small_to_be_judged_are_not_judged_as_one_either(shop: tuple, tmp_path: Path) -> None:
    release, folder, log, output = shop
    watched(shop, tmp_path / "history.json", SETTINGS.model_copy(update={"hours": 20.0}), (0.6, 0.6))
    end = NOW + timedelta(days=2)
    log_queries(log, release, observations(WORLD.vectors(20, 9, 0.6), 9), end)
    settings = SETTINGS.model_copy(update={"hours": 20.0})
    detect_drift(log, folder, output, settings, end, tmp_path / "history.json")
    result = load_config(DriftResult, output / "drift.json")
    assert (result.outcome, result.sequence) == ("not enough traffic", None)


def test_evidently_is_loaded_only_when_something_is_measured() -> None:
    check = "import sys, monitoring.drift, monitoring.decision; sys.exit('evidently' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
