"""When the watch retrains, reindexes or waits, in words."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monitoring import rules
from monitoring.earlier import windows_before
from monitoring.episode import SeenWindow
from monitoring.history import StartedRun, WatchHistory
from monitoring.result import DriftResult
from monitoring.rules import Decision, Facts
from monitoring.sequence import SequenceRule, Together
from monitoring.settings import DecisionSettings
from monitoring.veto import Veto
from tests.monitoring.shop import NOW

SETTINGS = DecisionSettings(calm_windows=2, cooldown_days=7, max_age_days=90)
RULE = SequenceRule(k=2, m=2)
TRAFFIC, SILENCE = "measured", "not enough traffic"


def window(day: int, drifted: bool, outcome: str = TRAFFIC, release: str = "r1") -> DriftResult:
    """The window of one day: a whole day of queries."""
    start = NOW + timedelta(days=day)
    return DriftResult(
        outcome=outcome,  # type: ignore[arg-type]
        drifted=drifted,
        summary="Drifted." if drifted else "No drift.",
        release_id=release,
        model_fingerprint="m1",
        window=f"window of day {day}",
        first=start.isoformat(),
        last=(start + timedelta(hours=23)).isoformat(),
        measured=start.isoformat(),
        n_reference=100,
        n_current=100,
        excluded={},
        alpha=0.05,
        detector="mmd",
    )


def told(window: DriftResult, before: Sequence[SeenWindow], rule: SequenceRule = RULE) -> DriftResult:
    """The window as the drift stage tells it: with where the rule stands after the windows seen before."""
    if window.outcome != TRAFFIC:
        return window
    verdicts = [bool(seen.drifted) for seen in windows_before(before, window.release_id, window.first)]
    return window.model_copy(update={"sequence": rule.after([*verdicts, window.drifted], window.alpha)})


def decide(window: DriftResult, history: WatchHistory, facts: Facts, settings: DecisionSettings) -> Decision:
    return rules.decide(told(window, history.windows), history, facts, settings)


def facts(now: datetime = NOW, age_days: float = 30, catalogue: str | None = "c1", veto: Veto | None = None) -> Facts:
    born = now - timedelta(days=age_days)
    return Facts(now=now, release_id="r1", model_born=born, released_catalogue="c1", catalogue=catalogue, veto=veto)


def after(*windows: DriftResult, runs: tuple[StartedRun, ...] = ()) -> WatchHistory:
    history = WatchHistory(runs=list(runs))
    for seen in windows:
        history = history.seeing(told(seen, history.windows), SETTINGS.calm_windows)
    return history


def retrained(days_ago: float, cause: str = "drift-of-old") -> StartedRun:
    return StartedRun(
        name=f"retrain-{cause}",
        action="retrain",
        causes=(cause,),
        started=NOW - timedelta(days=days_ago),
        state="succeeded",
        run_id="1",
        hours=1.0,
    )


def test_nothing_new_means_watching_and_says_why() -> None:
    decision = decide(window(0, drifted=False), after(), facts(), SETTINGS)
    assert (decision.action, decision.run) == ("watch", None)
    assert decision.reasons == (
        "No drift.",
        "The model is 30 days old; 90 are allowed.",
        "The catalogue is the one that was released.",
    )


def test_one_drifted_window_is_not_enough() -> None:
    decision = decide(window(0, drifted=True), after(), facts(), SETTINGS)
    assert decision.action == "watch"
    assert "drifted in one window" in decision.reasons[0]
    assert "not believed yet. 1 of the last 1 windows drifted, 2 of 2 are needed" in decision.reasons[0]


def test_drift_that_lasts_two_windows_retrains() -> None:
    decision = decide(window(1, drifted=True), after(window(0, drifted=True)), facts(), SETTINGS)
    assert decision.action == "retrain"
    assert "drifted in 2 of 2 windows" in decision.reasons[0]
    assert decision.run == f"retrain-{decision.causes[0]}"


def test_a_clean_window_between_starts_the_count_anew() -> None:
    history = after(window(0, drifted=True), window(1, drifted=False))
    assert decide(window(2, drifted=True), history, facts(), SETTINGS).action == "watch"


def test_a_window_without_traffic_neither_ends_nor_lengthens_an_episode() -> None:
    silence = window(1, drifted=False, outcome=SILENCE)
    assert decide(silence, after(window(0, drifted=True)), facts(), SETTINGS).action == "watch"
    history = after(window(0, drifted=True), silence)
    assert decide(window(2, drifted=True), history, facts(), SETTINGS).action == "retrain"


def test_windows_that_share_queries_count_once() -> None:
    rolling = window(0, drifted=True).model_copy(
        update={"window": "an hour later", "first": (NOW + timedelta(hours=1)).isoformat()}
    )
    assert decide(rolling, after(window(0, drifted=True)), facts(), SETTINGS).action == "watch"


def test_the_very_same_window_seen_twice_counts_once() -> None:
    assert decide(window(0, drifted=True), after(window(0, drifted=True)), facts(), SETTINGS).action == "watch"


def test_drift_of_an_earlier_release_does_not_count_for_this_one() -> None:
    history = after(window(0, drifted=True, release="r0"))
    assert decide(window(1, drifted=True), history, facts(), SETTINGS).action == "watch"


def test_one_episode_starts_one_run_however_long_it_lasts() -> None:
    history = after(window(0, drifted=True))
    first = decide(window(1, drifted=True), history, facts(), SETTINGS)
    assert first.run is not None
    run = StartedRun(name=first.run, action="retrain", causes=first.causes, started=NOW - timedelta(days=30))
    history = after(window(0, drifted=True), window(1, drifted=True), runs=(run,))
    later = decide(window(2, drifted=True), history, facts(), SETTINGS)
    assert later.action == "watch"
    assert f"run {first.run} of" in later.reasons[0]


def test_an_episode_outlives_one_calm_window_and_ends_with_the_second() -> None:
    history = after(window(0, drifted=True), window(1, drifted=True))
    first = decide(window(1, drifted=True), history, facts(), SETTINGS)
    run = retrained(30, cause=first.causes[0])
    calm = [window(day, drifted=day < 2) for day in range(3)]
    again = decide(window(4, drifted=True), after(*calm, window(3, True), runs=(run,)), facts(), SETTINGS)
    assert again.action == "watch"
    assert f"run {run.name} of" in again.reasons[0]
    ended = after(*calm, window(3, False), window(4, True), runs=(run,))
    second = decide(window(5, drifted=True), ended, facts(), SETTINGS)
    assert second.action == "retrain"
    assert second.causes != first.causes


def test_what_the_drift_stage_believes_is_believed_whatever_its_rule() -> None:
    history = after(window(0, drifted=True), window(1, drifted=False))
    third = told(window(2, drifted=True), history.windows, SequenceRule(k=2, m=3))
    assert rules.decide(third, history, facts(), SETTINGS).action == "retrain"


def as_one(day: int, drifted: bool) -> DriftResult:
    """A calm window, and what it says together with the two before it."""
    together = Together(rows=300, score=4.0, rank=0.001, rank_without=0.01, drifted=drifted)
    state = SequenceRule().after([False] * 3, 0.01, together)
    return window(day, drifted=False).model_copy(update={"sequence": state})


def test_windows_that_drifted_as_one_retrain_though_none_drifted_alone() -> None:
    history = after(window(0, drifted=False), window(1, drifted=False))
    decision = rules.decide(as_one(2, drifted=True), history, facts(), SETTINGS)
    assert decision.action == "retrain"
    assert "judged as one they drifted (p = 0.001, 0.003 is needed" in decision.reasons[0]


def test_a_slow_drift_is_one_episode_as_long_as_its_windows_drift_as_one() -> None:
    history = after()
    for day in range(20):
        history = history.seeing(as_one(day, drifted=True), SETTINGS.calm_windows)
    episode = history.episode("r1")
    assert episode is not None
    assert (episode.windows, episode.drifted, episode.believed) == (20, 0, True)
    for day in (20, 21):
        history = history.seeing(as_one(day, drifted=False), SETTINGS.calm_windows)
    assert history.episode("r1") is None


def test_an_episode_keeps_its_name_longer_than_windows_are_remembered() -> None:
    history = after(window(0, drifted=True))
    name = history.episode("r1").id  # type: ignore[union-attr]
    for day in range(1, 1100):
        history = history.seeing(window(day, drifted=True), SETTINGS.calm_windows)
    episode = history.episode("r1")
    assert episode is not None
    assert (episode.id, episode.windows, episode.drifted) == (name, 1100, 1100)


def test_no_retrain_starts_within_the_cooldown_of_the_last() -> None:
    drifted, before = window(1, drifted=True), window(0, drifted=True)
    held = decide(drifted, after(before, runs=(retrained(6.9),)), facts(), SETTINGS)
    assert held.action == "watch"
    assert held.reasons[0].endswith("none starts again within 7 days.")
    assert decide(drifted, after(before, runs=(retrained(7),)), facts(), SETTINGS).action == "retrain"


def test_an_old_model_is_retrained_without_drift_and_only_once() -> None:
    decision = decide(window(0, drifted=False), after(), facts(age_days=91), SETTINGS)
    assert (decision.action, decision.causes) == ("retrain", ("age-r1",))
    history = after(runs=(retrained(20, cause="age-r1"),))
    assert decide(window(0, drifted=False), history, facts(age_days=91), SETTINGS).action == "watch"


def test_without_a_largest_age_no_model_is_too_old() -> None:
    settings = DecisionSettings(max_age_days=None)
    assert decide(window(0, drifted=False), after(), facts(age_days=9999), settings).action == "watch"


def test_a_changed_catalogue_is_indexed_once() -> None:
    decision = decide(window(0, drifted=False), after(), facts(catalogue="c2"), SETTINGS)
    assert (decision.action, decision.run) == ("reindex", "reindex-catalogue-c2-r1")
    run = retrained(0, cause="catalogue-c2-r1").model_copy(update={"action": "reindex"})
    again = decide(window(0, drifted=False), after(runs=(run,)), facts(catalogue="c2"), SETTINGS)
    assert again.action == "watch"


def test_a_retrain_answers_the_changed_catalogue_too() -> None:
    decision = decide(window(1, drifted=True), after(window(0, drifted=True)), facts(catalogue="c2"), SETTINGS)
    assert decision.action == "retrain"
    assert "catalogue-c2-r1" in decision.causes


def test_a_changed_catalogue_is_indexed_while_retraining_cools_down() -> None:
    history = after(window(0, drifted=True), runs=(retrained(1),))
    assert decide(window(1, drifted=True), history, facts(catalogue="c2"), SETTINGS).action == "reindex"


def test_a_run_that_has_not_ended_is_waited_for() -> None:
    running = retrained(20, cause="age-r0").model_copy(update={"state": "running", "hours": None})
    drifted = decide(window(1, drifted=True), after(window(0, drifted=True), runs=(running,)), facts(), SETTINGS)
    assert drifted.action == "watch"
    assert drifted.reasons[0] == "Run retrain-age-r0 has not ended; nothing starts beside it."


def test_the_budget_counts_the_retrains_of_its_period() -> None:
    settings = DecisionSettings(cooldown_days=0, most_retrains=2, budget_days=30)
    drifted, before = window(1, drifted=True), window(0, drifted=True)
    spent = after(before, runs=(retrained(29, "a"), retrained(3, "b")))
    assert decide(drifted, spent, facts(), settings).reasons[0] == (
        "2 retrains started in the last 30 days; the budget is 2."
    )
    refreshed = after(before, runs=(retrained(30, "a"), retrained(3, "b")))
    assert decide(drifted, refreshed, facts(), settings).action == "retrain"


def test_the_budget_counts_hours_as_they_were_and_as_they_are_reckoned() -> None:
    settings = DecisionSettings(cooldown_days=0, most_retrains=None, most_hours=5, hours_per_retrain=2)
    drifted, before = window(1, drifted=True), window(0, drifted=True)
    long = retrained(3, "a").model_copy(update={"hours": 3.5})
    held = decide(drifted, after(before, runs=(long,)), facts(), settings)
    assert held.reasons[0] == (
        "Retrains took 3.5 hours in the last 90 days and another is reckoned at 2; the budget is 5."
    )
    short = retrained(3, "a").model_copy(update={"hours": 3.0})
    assert decide(drifted, after(before, runs=(short,)), facts(), settings).action == "retrain"


def test_a_failed_run_is_asked_for_again_under_another_name_until_too_many_failed() -> None:
    before, drifted = after(window(0, drifted=True)), window(1, drifted=True)
    first = decide(drifted, before, facts(), SETTINGS)
    names = [first.run]
    for _ in range(SETTINGS.most_attempts):
        failed = retrained(0, first.causes[0]).model_copy(
            update={"name": names[-1], "state": "withdrawn", "note": "the disk is full"}
        )
        before = before.starting(failed)
        decision = decide(drifted, before, facts(), SETTINGS)
        names.append(decision.run)
    assert names == [first.run, f"{first.run}-2", f"{first.run}-3", None]
    assert decision.reasons[0].endswith("3 runs came to nothing, a person must look: the disk is full")


def test_a_run_that_could_not_be_started_keeps_its_name_and_costs_nothing() -> None:
    settings = DecisionSettings(most_retrains=1)
    before, drifted = after(window(0, drifted=True)), window(1, drifted=True)
    first = decide(drifted, before, facts(), settings)
    unstarted = retrained(0, first.causes[0]).model_copy(update={"state": "withdrawn", "run_id": None})
    assert decide(drifted, before.starting(unstarted), facts(), settings).run == first.run


def test_a_catalogue_that_comes_back_is_a_change_again() -> None:
    run = retrained(0, cause="catalogue-c2-r0").model_copy(update={"action": "reindex"})
    assert decide(window(0, drifted=False), after(runs=(run,)), facts(catalogue="c2"), SETTINGS).action == "reindex"


def test_a_person_s_veto_holds_everything_back_and_is_quoted() -> None:
    vetoed = facts(catalogue="c2", veto=Veto("sale weekend, ask Ada"))
    decision = decide(window(1, drifted=True), after(window(0, drifted=True)), vetoed, SETTINGS)
    assert decision.action == "watch"
    assert decision.reasons[0] == "A person holds all runs back: sale weekend, ask Ada"


def test_a_veto_ends_when_it_says() -> None:
    until = datetime(2026, 3, 2, tzinfo=UTC)
    veto, before, drifted = Veto("sale", until), after(window(0, drifted=True)), window(1, drifted=True)
    held = decide(drifted, before, facts(until - timedelta(seconds=1), veto=veto), SETTINGS)
    assert held.reasons[0] == "A person holds all runs back until 2026-03-02 00:00 UTC: sale"
    assert decide(drifted, before, facts(until, veto=veto), SETTINGS).action == "retrain"


def test_deciding_changes_nothing_it_was_given() -> None:
    history = after(window(0, drifted=True))
    before = history.model_dump()
    decide(window(1, drifted=True), history, facts(), SETTINGS)
    assert history.model_dump() == before


def test_old_windows_are_forgotten_so_the_history_stays_small() -> None:
    seen = SeenWindow(window="w", release_id="r1", first=None, last=None, drifted=False)
    history = WatchHistory(windows=[seen.model_copy(update={"window": str(i)}) for i in range(1000)])
    assert len(history.seeing(window(0, drifted=True), calm_windows=3).windows) == 1000
