"""When a drill went as expected."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from app.drill.result import Said, WatchedWindow, conclude, expectation
from app.drill.scenario import SCENARIOS
from app.drill.service import Traffic
from app.drill.watchers import EMPTY, ERRORS, alerts_said

RULES = Path(__file__).parents[2] / "monitoring" / "prometheus" / "lookalike.rules.yaml"


def window(number: int, action: str = "watch", spoke: Sequence[str] = (), shifted: bool = True) -> WatchedWindow:
    return WatchedWindow(
        number=number,
        begin=datetime(2026, 3, number, tzinfo=UTC),
        shifted=shifted,
        traffic=Traffic(requests=100, failed=0, empty=0, degraded=()),
        outcome="measured",
        drifted="drift" in spoke,
        score=1.0,
        threshold=2.0,
        moved=(),
        said=tuple(Said(watcher=name, spoke=True, words="so it is") for name in spoke),
        action=action,  # type: ignore[arg-type]
        reasons=("because",),
        started=() if action == "watch" else (f"{action}-drift-1",),
    )


QUIET = window(1, shifted=False)


def test_a_shift_that_is_noticed_and_answered_once_is_as_expected() -> None:
    drifted = window(2, spoke=["drift"]), window(3, "retrain", ["drift"])
    told = conclude(SCENARIOS["colour"], (QUIET, *drifted))
    assert told == (True, "Drift spoke during the shift; started: retrain with window 3. As expected.")


@pytest.mark.parametrize(
    ("name", "windows", "wrong"),
    [
        ("colour", [QUIET, window(2)], "drift was silent; no retrain was started"),
        ("colour", [QUIET, window(2, "reindex", ["drift"])], "no retrain was started; a reindex was started"),
        (
            "colour",
            [window(1, "retrain", shifted=False), window(2, spoke=["drift"])],
            "window 1 started a retrain before the shift",
        ),
        (
            "camera",
            [QUIET, window(2, "retrain", ["drift"]), window(3, "retrain", ["drift"])],
            "a retrain was started 2 times",
        ),
        ("outage", [QUIET, window(2, spoke=["alerts"])], "traffic was silent"),
        ("purge", [QUIET, window(2, "reindex", ["catalogue"])], "a reindex was started"),
        ("poison", [QUIET, window(2, "retrain", ["delivery"])], "a retrain was started"),
    ],
)
def test_what_differs_is_named(name: str, windows: list[WatchedWindow], wrong: str) -> None:
    as_expected, conclusion = conclude(SCENARIOS[name], tuple(windows))
    assert not as_expected
    assert conclusion.endswith(f"NOT as expected: {wrong}.")


@pytest.mark.parametrize("name", ["purge", "poison"])
def test_a_delivery_that_validation_refused_need_not_be_noticed_behind_it(name: str) -> None:
    assert conclude(SCENARIOS[name], (QUIET, window(2, spoke=["validation"])))[0]


def test_a_single_alarm_without_a_shift_is_no_failure_but_a_run_is() -> None:
    alarm, calm = window(2, spoke=["drift"], shifted=False), window(3, shifted=False)
    assert conclude(SCENARIOS["none"], (QUIET, alarm, calm)) == (
        True,
        "1 of 3 windows drifted; started: nothing. As expected.",
    )
    as_expected, conclusion = conclude(SCENARIOS["none"], (QUIET, window(2, "retrain", ["drift"], shifted=False)))
    assert not as_expected and "a retrain was started" in conclusion


def test_what_is_expected_is_said_in_words() -> None:
    assert expectation(SCENARIOS["none"]) == "nobody needs to speak; nothing should start"
    assert expectation(SCENARIOS["colour"]) == "drift should speak; a retrain should start"
    assert expectation(SCENARIOS["poison"]) == "delivery should speak; no retrain should start, a reindex may"
    vertical = "drift and catalogue should speak; a retrain should start, a reindex may"
    assert expectation(SCENARIOS["vertical"]) == vertical


def test_the_alert_rules_are_judged_at_their_own_thresholds() -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    expressions = {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
    assert f"> {ERRORS}" in expressions["LookalikeErrors"]
    assert expressions["LookalikeEmptyAnswers"].strip().endswith(f"> {EMPTY}")
    assert "LookalikePartDegraded" in expressions


@pytest.mark.parametrize(
    ("traffic", "words"),
    [
        (Traffic(requests=1000, failed=15, empty=0, degraded=()), "LookalikeErrors: 1.5% of the requests failed"),
        (
            Traffic(requests=200, failed=0, empty=11, degraded=()),
            "LookalikeEmptyAnswers: 5.5% of the searches found nothing",
        ),
        (
            Traffic(requests=100, failed=0, empty=0, degraded=("the index",)),
            "LookalikePartDegraded: the index has failed",
        ),
    ],
)
def test_each_alert_fires_on_its_own_figure(traffic: Traffic, words: str) -> None:
    assert alerts_said(traffic) == Said(watcher="alerts", spoke=True, words=words)


def test_alerts_are_quiet_below_their_thresholds() -> None:
    said = alerts_said(Traffic(requests=1000, failed=14, empty=49, degraded=()))
    assert not said.spoke
    assert said.words.startswith("quiet: 1.4% of the requests failed")
