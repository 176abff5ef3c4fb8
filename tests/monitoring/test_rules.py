"""When the watch retrains, reindexes or waits, in words."""

from datetime import datetime, timedelta

from monitoring.history import SeenWindow, StartedRun, WatchHistory
from monitoring.result import DriftResult
from monitoring.rules import Facts, decide
from monitoring.settings import DecisionSettings
from tests.monitoring.shop import NOW

SETTINGS = DecisionSettings(drifted_windows=2, cooldown_days=7, max_age_days=90)
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


def facts(now: datetime = NOW, age_days: float = 30, catalogue: str | None = "c1", veto: str | None = None) -> Facts:
    born = now - timedelta(days=age_days)
    return Facts(now=now, release_id="r1", model_born=born, released_catalogue="c1", catalogue=catalogue, veto=veto)


def after(*windows: DriftResult, runs: tuple[StartedRun, ...] = ()) -> WatchHistory:
    history = WatchHistory(runs=list(runs))
    for seen in windows:
        history = history.seeing(seen)
    return history


def retrained(days_ago: float, cause: str = "drift-of-old") -> StartedRun:
    return StartedRun(
        name=f"retrain-{cause}", action="retrain", causes=(cause,), started=NOW - timedelta(days=days_ago)
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
    assert "2 in a row start a retrain" in decision.reasons[0]


def test_drift_that_lasts_two_windows_retrains() -> None:
    decision = decide(window(1, drifted=True), after(window(0, drifted=True)), facts(), SETTINGS)
    assert decision.action == "retrain"
    assert "2 windows in a row" in decision.reasons[0]
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


def test_a_new_episode_after_a_clean_window_may_start_a_run_again() -> None:
    history = after(window(0, drifted=True), window(1, drifted=True))
    first = decide(window(1, drifted=True), history, facts(), SETTINGS)
    run = retrained(30, cause=first.causes[0])
    history = after(*(window(day, drifted=day not in (2,)) for day in range(4)), runs=(run,))
    second = decide(window(4, drifted=True), history, facts(), SETTINGS)
    assert second.action == "retrain"
    assert second.causes != first.causes


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
    assert (decision.action, decision.run) == ("reindex", "reindex-catalogue-c2")
    run = StartedRun(name="reindex-catalogue-c2", action="reindex", causes=("catalogue-c2",), started=NOW)
    again = decide(window(0, drifted=False), after(runs=(run,)), facts(catalogue="c2"), SETTINGS)
    assert again.action == "watch"


def test_a_retrain_answers_the_changed_catalogue_too() -> None:
    decision = decide(window(1, drifted=True), after(window(0, drifted=True)), facts(catalogue="c2"), SETTINGS)
    assert decision.action == "retrain"
    assert "catalogue-c2" in decision.causes


def test_a_changed_catalogue_is_indexed_while_retraining_cools_down() -> None:
    history = after(window(0, drifted=True), runs=(retrained(1),))
    assert decide(window(1, drifted=True), history, facts(catalogue="c2"), SETTINGS).action == "reindex"


def test_a_person_s_veto_holds_everything_back_and_is_quoted() -> None:
    vetoed = facts(catalogue="c2", veto="sale weekend, ask Ada")
    decision = decide(window(1, drifted=True), after(window(0, drifted=True)), vetoed, SETTINGS)
    assert decision.action == "watch"
    assert decision.reasons[0] == "A person holds all runs back: sale weekend, ask Ada"


def test_deciding_changes_nothing_it_was_given() -> None:
    history = after(window(0, drifted=True))
    before = history.model_dump()
    decide(window(1, drifted=True), history, facts(), SETTINGS)
    assert history.model_dump() == before


def test_old_windows_are_forgotten_so_the_history_stays_small() -> None:
    seen = SeenWindow(window="w", release_id="r1", first=None, last=None, drifted=False)
    history = WatchHistory(windows=[seen.model_copy(update={"window": str(i)}) for i in range(1000)])
    assert len(history.seeing(window(0, drifted=True)).windows) == 1000
