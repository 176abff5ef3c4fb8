"""Whole drills of a small shop: through the real watch, beside the real workspace."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.drill.days import Asked
from app.drill.result import DRILL, Drill
from app.drill.run import run_drill
from app.drill.scenario import SCENARIOS
from lookalike.config import load_config
from lookalike.errors import ConfigError
from lookalike.search.query_log import read_query_log
from monitoring.history import read_history
from tests.drill.shop import all_files, drilled_shop

ASKED = Asked(windows=4, queries=60)
SETTINGS = {"drift": {"draws": 199, "proof_draws": 0, "early_rows": 150, "report_rows": 50}}


def said(drill: Drill, window: int, watcher: str) -> bool:
    return next(one.spoke for one in drill.windows[window - 1].said if one.watcher == watcher)


def test_a_shift_is_believed_once_and_the_workspace_stays_as_it_was(tmp_path: Path) -> None:
    drilled, output = drilled_shop(tmp_path), tmp_path / "drills" / "compression"
    before = all_files(tmp_path)
    drill = run_drill(drilled, SCENARIOS["compression"], output, ASKED, SETTINGS)
    after = {name: digest for name, digest in all_files(tmp_path).items() if not name.startswith("drills/")}
    assert after == before
    assert [window.shifted for window in drill.windows] == [False, True, True, True]
    assert [window.drifted for window in drill.windows] == [False, True, True, True]
    assert [window.action for window in drill.windows] == ["watch", "watch", "retrain", "watch"]
    assert any("jpeg quality" in words for words in drill.windows[1].moved)
    assert drill.as_expected and drill.conclusion.endswith("As expected.")
    assert load_config(Drill, output / DRILL) == drill
    assert "<svg" in (output / "drill.html").read_text(encoding="utf-8")
    assert len(read_query_log(output / "query_log")) == 150 + 4 * 60
    [run] = read_history(output / "watch_history.json").runs
    assert (run.action, run.state) == ("retrain", "succeeded")


def test_an_outage_is_told_by_the_alerts_and_is_no_drift(tmp_path: Path) -> None:
    drill = run_drill(drilled_shop(tmp_path), SCENARIOS["outage"], tmp_path / "drill", ASKED, SETTINGS)
    assert [window.outcome for window in drill.windows] == [
        "measured", "not enough traffic", "not enough traffic", "measured",
    ]  # fmt: skip
    assert [window.traffic.failed for window in drill.windows] == [0, 60, 60, 0]
    assert [said(drill, number, "alerts") for number in (1, 2, 3, 4)] == [False, True, True, False]
    assert all(window.action == "watch" for window in drill.windows)
    assert drill.as_expected


def test_bad_requests_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    drilled, output = drilled_shop(tmp_path), tmp_path / "drill"
    before = all_files(tmp_path)
    none = SCENARIOS["none"]
    with pytest.raises(ConfigError, match="2 windows cannot show a shift; 3 is the fewest"):
        run_drill(drilled, none, output, Asked(windows=2))
    with pytest.raises(ConfigError, match=r"40 queries are below drift\.min_rows 50"):
        run_drill(drilled, none, output, Asked(queries=40))
    with pytest.raises(ConfigError, match=r"holds no drill\.json; a drill replaces nothing but an earlier drill"):
        run_drill(drilled, none, tmp_path / "validated", ASKED, SETTINGS)
    assert all_files(tmp_path) == before


def test_a_person_sees_the_drills_and_what_is_wrong(tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["drill", "--list"]).output
    assert [line.split()[0] for line in listed.splitlines()] == list(SCENARIOS)
    for words, message in ((["flood"], "there is no drill 'flood'"), (["none"], "nothing is in service")):
        result = CliRunner().invoke(app, ["drill", *words, "--workspace", str(tmp_path)])
        assert message in str(result.exception)
    assert json.dumps(all_files(tmp_path)) == "{}"
