"""What the newest catalogue asks for: an index, a retrain for what the model was never taught, or a person."""

from datetime import timedelta

from monitoring.catalogue import CatalogueChange
from monitoring.history import StartedRun, WatchHistory
from monitoring.rules import Decision, Facts, decide
from monitoring.settings import DecisionSettings
from monitoring.veto import Veto
from tests.monitoring.shop import NOW
from tests.monitoring.test_rules import facts, window

SETTINGS = DecisionSettings()


def change(
    verticals: dict[str, int] | None = None, values: dict[str, int] | None = None, gone: int = 0
) -> CatalogueChange:
    return CatalogueChange(
        products=1000,
        unindexed=0,
        held=1000,
        gone=gone,
        new_verticals=verticals or {},
        new_values={"colour": values} if values else {},
    )


def decided(
    change: CatalogueChange, *runs: StartedRun, world: Facts | None = None, settings: DecisionSettings = SETTINGS
) -> Decision:
    calm = window(0, drifted=False).model_copy(update={"catalogue": change})
    return decide(calm, WatchHistory(runs=list(runs)), world or facts(catalogue="c2"), settings)


def run(decision: Decision, state: str = "succeeded", days_ago: float = 30) -> StartedRun:
    return StartedRun(
        name=decision.run or "",
        action=decision.action,
        causes=decision.causes,
        started=NOW - timedelta(days=days_ago),
        state=state,  # type: ignore[arg-type]
        run_id="1",
        note="out of memory" if state == "withdrawn" else "",
    )


def test_a_new_vertical_retrains_and_the_retrain_indexes_it() -> None:
    decision = decided(change({"Hats": 21}))
    assert decision.action == "retrain"
    assert decision.run is not None
    assert decision.run.startswith("retrain-vertical-")
    assert "catalogue-c2-r1" in decision.causes
    assert decision.reasons[2] == (
        "The model was never taught these verticals ('Hats': 21): 2.1% of the products, more than the 2.0% allowed."
    )


def test_a_few_new_products_are_indexed_and_nothing_more() -> None:
    decision = decided(change({"Hats": 20}, {"mint": 20}))
    assert decision.action == "reindex"
    assert "('mint': 20): 2.0% of the products; 2.0% are allowed." in decision.reasons[2]


def test_values_of_one_attribute_count_together_and_are_causes_each() -> None:
    decision = decided(change(values={"mint": 15, "sand": 10}))
    assert decision.action == "retrain"
    assert len([cause for cause in decision.causes if cause.startswith("value-")]) == 2


def test_a_vertical_retrains_once_whatever_became_of_the_run() -> None:
    """The gate refused the challenger, or the vertical stayed too small to be learned: it is still untaught."""
    first = decided(change({"Hats": 50}))
    again = decided(change({"Hats": 60}), run(first), world=facts(catalogue="c3"))
    assert again.action == "reindex"
    assert "those aside that runs were started for" in again.reasons[2]
    other = decided(change({"Hats": 60, "Tools": 30}), run(first), world=facts(catalogue="c3"))
    assert other.action == "retrain"
    assert not set(first.causes) & set(other.causes)


def test_a_run_that_failed_is_asked_for_again_until_a_person_must_look() -> None:
    runs: list[StartedRun] = []
    names = []
    for _ in range(SETTINGS.most_attempts + 1):
        decision = decided(change({"Hats": 50}), *runs, world=facts(catalogue=None), settings=unhurried())
        names.append(decision.run)
        runs.append(run(decision, "withdrawn"))
    assert names == [names[0], f"{names[0]}-2", f"{names[0]}-3", None]


def unhurried() -> DecisionSettings:
    return DecisionSettings(cooldown_days=0, most_retrains=None)


def test_a_retrain_held_back_still_indexes_and_is_asked_for_later() -> None:
    spent = DecisionSettings(most_retrains=0)
    assert decided(change({"Hats": 50}), settings=spent).action == "reindex"
    assert decided(change({"Hats": 50}), world=facts(catalogue="c1")).action == "retrain"


def test_a_catalogue_that_lost_a_fifth_of_the_products_starts_nothing() -> None:
    assert decided(change(gone=200)).action == "reindex"
    decision = decided(change({"Hats": 500}, gone=201))
    assert decision.action == "watch"
    assert decision.reasons[0] == (
        "The catalogue lacks 201 of the 1000 products in service (20.1%; 20% are let pass): a broken delivery is "
        "likelier than a purge, so nothing starts with it. If it is meant, index it by hand or raise lost_share."
    )


def test_a_purge_is_let_pass_where_the_settings_say_so() -> None:
    assert decided(change(gone=900), settings=DecisionSettings(lost_share=1)).action == "reindex"


def test_the_catalogue_in_service_is_no_broken_delivery() -> None:
    """A person indexed it by hand; whatever was counted before, the digest says so."""
    assert decided(change({"Hats": 50}, gone=900), world=facts(catalogue="c1")).action == "retrain"


def test_a_veto_is_quoted_before_a_broken_delivery() -> None:
    decision = decided(change(gone=900), world=facts(catalogue="c2", veto=Veto("sale weekend")))
    assert decision.reasons[0] == "A person holds all runs back: sale weekend"
