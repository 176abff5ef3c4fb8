"""What holds of every decision, whatever was seen, started, written and set."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from monitoring.history import StartedRun, WatchHistory
from monitoring.result import DriftResult
from monitoring.rules import Decision, Facts, decide
from monitoring.settings import DecisionSettings
from monitoring.veto import Veto
from tests.monitoring.shop import NOW
from tests.monitoring.test_rules import TRAFFIC, window

URGENCY = {"watch": 0, "reindex": 1, "retrain": 2}
DAYS = some.floats(0, 120, allow_nan=False)

rules = some.builds(
    lambda k, more, **named: DecisionSettings(drifted_windows=k, of_windows=k + more, **named),
    some.integers(1, 3),
    some.integers(0, 2),
    calm_windows=some.integers(1, 4),
    cooldown_days=some.sampled_from([0.0, 3.0, 7.0]),
    max_age_days=some.sampled_from([None, 30.0, 90.0]),
    budget_days=some.sampled_from([10.0, 90.0]),
    most_retrains=some.sampled_from([None, 0, 1, 3]),
    most_hours=some.sampled_from([None, 0.0, 5.0]),
)
runs = some.builds(
    lambda number, action, days, state, hours: StartedRun(
        name=f"{action}-{number}",
        action=action,
        causes=(f"cause-{number}",),
        started=NOW - timedelta(days=days),
        state=state,
        run_id=None if state == "asked" else str(number),
        hours=hours if state in ("succeeded", "withdrawn") else None,
    ),
    some.integers(0, 99),
    some.sampled_from(["retrain", "reindex"]),
    DAYS,
    some.sampled_from(["asked", "running", "succeeded", "succeeded", "withdrawn"]),
    some.floats(0, 10),
)
worlds = some.builds(
    lambda age, catalogue, veto: Facts(NOW, "r1", NOW - timedelta(days=age), "c1", catalogue, veto),
    DAYS,
    some.sampled_from([None, "c1", "c2"]),
    some.sampled_from([None, None, Veto("no"), Veto("no", NOW), Veto("no", NOW + timedelta(days=1))]),
)
verdicts = some.lists(some.sampled_from([True, True, False, None]), min_size=1, max_size=12)
started = some.lists(runs, max_size=3, unique_by=lambda run: run.name)


def seen(said: list[bool | None], started: list[StartedRun], rule: DecisionSettings) -> WatchHistory:
    history = WatchHistory(runs=started)
    for day, verdict in enumerate(said):
        history = history.seeing(of_day(day, verdict), rule.calm_windows)
    return history


def of_day(day: int, verdict: bool | None) -> DriftResult:
    return window(day, bool(verdict), TRAFFIC if verdict is not None else "not enough traffic")


def decided(said: list[bool | None], started: list[StartedRun], facts: Facts, rule: DecisionSettings) -> Decision:
    return decide(of_day(len(said) - 1, said[-1]), seen(said[:-1], started, rule), facts, rule)


@given(verdicts, started, worlds, rules)
def test_a_newest_window_that_drifted_never_asks_for_less(
    said: list[bool | None], started: list[StartedRun], facts: Facts, rule: DecisionSettings
) -> None:
    calm, drifted = ([*said[:-1], verdict] for verdict in (False, True))
    less, more = decided(calm, started, facts, rule), decided(drifted, started, facts, rule)
    assert URGENCY[more.action] >= URGENCY[less.action]


@given(verdicts, some.integers(0, 11), started, worlds, rules)
def test_more_drift_in_any_window_never_asks_for_less(
    said: list[bool | None], place: int, started: list[StartedRun], facts: Facts, rule: DecisionSettings
) -> None:
    more = [True if day == place % len(said) and verdict is not None else verdict for day, verdict in enumerate(said)]
    assert URGENCY[decided(more, started, facts, rule).action] >= URGENCY[decided(said, started, facts, rule).action]


@given(verdicts, started, worlds, rules)
def test_no_retrain_starts_in_the_cooldown_or_beyond_the_budget(
    said: list[bool | None], started: list[StartedRun], facts: Facts, rule: DecisionSettings
) -> None:
    if decided(said, started, facts, rule).action != "retrain":
        return
    before = [run for run in started if run.action == "retrain"]
    standing = [run for run in before if run.state != "withdrawn"]
    assert all(NOW - run.started >= timedelta(days=rule.cooldown_days) for run in standing)
    spent = [run for run in before if NOW - run.started < timedelta(days=rule.budget_days)]
    assert rule.most_retrains is None or len(spent) < rule.most_retrains
    hours = sum(run.hours if run.hours is not None else rule.hours_per_retrain for run in spent)
    assert rule.most_hours is None or hours + rule.hours_per_retrain <= rule.most_hours


@given(verdicts, started, worlds, rules)
def test_a_veto_wins(said: list[bool | None], started: list[StartedRun], facts: Facts, rule: DecisionSettings) -> None:
    if facts.veto is not None and facts.veto.stands(NOW):
        assert decided(said, started, facts, rule).action == "watch"


@given(verdicts, started, worlds, rules)
def test_the_same_is_decided_again_and_with_reasons(
    said: list[bool | None], started: list[StartedRun], facts: Facts, rule: DecisionSettings
) -> None:
    first = decided(said, started, facts, rule)
    assert first == decided(said, started, facts, rule)
    assert len(first.reasons) >= 3
    assert (first.run is None) == (first.action == "watch")


@settings(max_examples=50)
@given(some.lists(some.booleans(), min_size=1, max_size=40), rules, worlds)
def test_one_episode_starts_one_run_whatever_is_seen_in_it(
    said: list[bool], rule: DecisionSettings, facts: Facts
) -> None:
    """Every window is decided about three times: restarts and other watches."""
    history, causes = WatchHistory(), []
    for day, verdict in enumerate(said):
        for _ in range(3):
            decision = decide(of_day(day, verdict), history, facts, rule)
            history = history.seeing(of_day(day, verdict), rule.calm_windows)
            if decision.run is not None:
                causes += decision.causes
                history = history.starting(
                    StartedRun(
                        name=decision.run,
                        action=decision.action,
                        causes=decision.causes,
                        started=NOW,
                        state="succeeded",
                        run_id="1",
                    )
                )
    assert len(causes) == len(set(causes))
