"""What holds of every decision, whatever was seen, started, written and set."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from monitoring.catalogue import CatalogueChange
from monitoring.history import StartedRun, WatchHistory
from monitoring.result import DriftResult
from monitoring.rules import Decision, Facts, decide
from monitoring.sequence import SequenceRule, Together
from monitoring.settings import DecisionSettings
from monitoring.veto import Veto
from tests.monitoring.shop import NOW
from tests.monitoring.test_rules import TRAFFIC, window

URGENCY = {"watch": 0, "reindex": 1, "retrain": 2}
DAYS = some.floats(0, 120, allow_nan=False)

rules = some.builds(
    DecisionSettings,
    calm_windows=some.integers(1, 4),
    cooldown_days=some.sampled_from([0.0, 3.0, 7.0]),
    max_age_days=some.sampled_from([None, 30.0, 90.0]),
    budget_days=some.sampled_from([10.0, 90.0]),
    most_retrains=some.sampled_from([None, 0, 1, 3]),
    most_hours=some.sampled_from([None, 0.0, 5.0]),
    untaught_share=some.sampled_from([0.0, 0.02, 1.0]),
    lost_share=some.sampled_from([0.0, 0.2, 1.0]),
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
Said = list[str | None]
"""By window: `calm`, `drifted` by itself, `as one` with those before it, `both`; None without traffic enough."""
verdicts = some.lists(some.sampled_from(["drifted", "calm", "as one", "both", None]), min_size=1, max_size=12)
started = some.lists(runs, max_size=3, unique_by=lambda run: run.name)
changes = some.builds(
    lambda gone, verticals, values: CatalogueChange(
        products=1000,
        unindexed=0,
        held=1000,
        gone=gone,
        new_verticals=verticals,
        new_values={"colour": values} if values else {},
    ),
    some.sampled_from([0, 100, 900]),
    some.dictionaries(some.sampled_from(["Hats", "Tools"]), some.integers(1, 40)),
    some.dictionaries(some.sampled_from(["mint", "sand"]), some.integers(1, 40)),
)
RULE = SequenceRule(k=2, m=3)


def seen(said: Said, started: list[StartedRun], rule: DecisionSettings) -> WatchHistory:
    history = WatchHistory(runs=started)
    for day in range(len(said)):
        history = history.seeing(of_day(day, said), rule.calm_windows)
    return history


def of_day(day: int, said: Said, change: CatalogueChange | None = None) -> DriftResult:
    """The window of a day as the drift stage tells it after the days before."""
    if said[day] is None:
        return window(day, False, "not enough traffic")
    told = [verdict in ("drifted", "both") for verdict in said[: day + 1] if verdict is not None]
    as_one = said[day] in ("as one", "both")
    together = Together(rows=300, score=1.0, rank=0.001, rank_without=0.01, drifted=as_one)
    state = RULE.after(told, 0.01, together)
    return window(day, told[-1], TRAFFIC).model_copy(update={"sequence": state, "catalogue": change})


def decided(
    said: Said,
    started: list[StartedRun],
    facts: Facts,
    rule: DecisionSettings,
    change: CatalogueChange | None = None,
) -> Decision:
    newest = of_day(len(said) - 1, said, change)
    return decide(newest, seen(said[:-1], started, rule), facts, rule)


@given(verdicts, started, worlds, rules)
def test_a_newest_window_that_drifted_never_asks_for_less(
    said: Said, started: list[StartedRun], facts: Facts, rule: DecisionSettings
) -> None:
    by_drift = [decided([*said[:-1], verdict], started, facts, rule) for verdict in ("calm", "drifted", "both")]
    urgency = [URGENCY[decision.action] for decision in by_drift]
    assert urgency == sorted(urgency)


@given(verdicts, some.integers(0, 11), started, worlds, rules)
def test_more_drift_in_any_window_never_asks_for_less(
    said: Said, place: int, started: list[StartedRun], facts: Facts, rule: DecisionSettings
) -> None:
    more = ["both" if day == place % len(said) and verdict is not None else verdict for day, verdict in enumerate(said)]
    assert URGENCY[decided(more, started, facts, rule).action] >= URGENCY[decided(said, started, facts, rule).action]


@given(verdicts, started, worlds, rules)
def test_no_retrain_starts_in_the_cooldown_or_beyond_the_budget(
    said: Said, started: list[StartedRun], facts: Facts, rule: DecisionSettings
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
def test_a_veto_wins(said: Said, started: list[StartedRun], facts: Facts, rule: DecisionSettings) -> None:
    if facts.veto is not None and facts.veto.stands(NOW):
        assert decided(said, started, facts, rule).action == "watch"


@given(verdicts, started, worlds, rules)
def test_the_same_is_decided_again_and_with_reasons(
    said: Said, started: list[StartedRun], facts: Facts, rule: DecisionSettings
) -> None:
    first = decided(said, started, facts, rule)
    assert first == decided(said, started, facts, rule)
    assert len(first.reasons) >= 3
    assert (first.run is None) == (first.action == "watch")


@given(verdicts, started, worlds, rules, changes, some.sampled_from(["Hats", "mint"]))
def test_more_products_of_what_was_never_taught_never_ask_for_less(
    said: Said, started: list[StartedRun], facts: Facts, rule: DecisionSettings, change: CatalogueChange, name: str
) -> None:
    field = "new_verticals" if name == "Hats" else "new_values"
    grown = {"Hats": 60} if name == "Hats" else {"colour": {"mint": 60}}
    more = change.model_copy(update={field: {**getattr(change, field), **grown}})
    asked = [decided(said, started, facts, rule, each) for each in (change, more)]
    assert URGENCY[asked[1].action] >= URGENCY[asked[0].action]


@given(verdicts, started, worlds, rules, changes)
def test_nothing_starts_with_a_changed_catalogue_that_lost_too_much(
    said: Said, started: list[StartedRun], facts: Facts, rule: DecisionSettings, change: CatalogueChange
) -> None:
    said = [*said[:-1], said[-1] or "calm"]
    decision = decided(said, started, facts, rule, change)
    if facts.catalogue == "c2" and change.share_gone > rule.lost_share:
        assert decision.action == "watch"
    elif facts.catalogue == "c2" and decision.action == "watch":
        assert facts.veto is not None or any(run.open for run in started)


@settings(max_examples=50)
@given(verdicts, rules, worlds, some.lists(changes, min_size=12, max_size=12))
def test_one_cause_starts_one_run_whatever_is_seen(
    said: Said, rule: DecisionSettings, facts: Facts, changes: list[CatalogueChange]
) -> None:
    """Every window is decided about three times: restarts and other watches."""
    history, causes = WatchHistory(), []
    for day in range(len(said)):
        for _ in range(3):
            newest = of_day(day, said, changes[day])
            decision = decide(newest, history, facts, rule)
            history = history.seeing(newest, rule.calm_windows)
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
