"""The guard takes away what no shopper needs to do, and leaves shoppers alone."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from lookalike.feedback.guard import GuardSettings, guard_feedback

START = datetime(2026, 11, 1, tzinfo=UTC)
SHOWN = 6
LOOKED = 1.0 / (1.0 + np.arange(SHOWN))


def shopping(answers: int, seed: int = 0, prefix: str = "shopper") -> pd.DataFrame:
    """Answers over four weeks, clicked from the top by sessions of three answers."""
    rng = np.random.default_rng([seed, answers])
    clicked = rng.random((answers, SHOWN)) < 0.5 * LOOKED
    return table(answers, rng, clicked, prefix)


def table(
    answers: int, rng: np.random.Generator, clicked: np.ndarray, prefix: str, sessions: int = 10**9
) -> pd.DataFrame:
    times = [START + timedelta(seconds=float(second)) for second in np.sort(rng.random(answers)) * 28 * 86_400]
    each = np.repeat(np.arange(answers), SHOWN)
    products = np.concatenate([rng.choice(300, SHOWN, replace=False) for _ in range(answers)])
    labelled = clicked.ravel()
    return pd.DataFrame(
        {
            "request_id": [f"{prefix}{answer}" for answer in each],
            "query": "q",
            "product_id": [f"p{product}" for product in products],
            "position": np.tile(np.arange(SHOWN), answers),
            "score": np.tile(np.linspace(0.9, 0.72, SHOWN), answers),
            "time": [times[answer] for answer in each],
            "clicked": labelled,
            "purchased": False,
            "source": [
                f"{prefix} {(answer // 3) % sessions}" if was else None
                for answer, was in zip(each, labelled, strict=True)
            ],
            "received": pd.to_datetime(
                [times[answer] if was else None for answer, was in zip(each, labelled, strict=True)], utc=True
            ),
        }
    )


def attacked(attack: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([shopping(1500), attack], ignore_index=True)


def attack(answers: int, clicked: np.ndarray, sessions: int) -> pd.DataFrame:
    return table(answers, np.random.default_rng(9), clicked, "attacker", sessions)


def only(place: int, answers: int) -> np.ndarray:
    return np.tile(np.arange(SHOWN) == place, (answers, 1))


@pytest.mark.parametrize("seed", range(4))
def test_honest_shoppers_lose_nothing_and_alarm_nobody(seed: int) -> None:
    found = guard_feedback(shopping(1500, seed), GuardSettings())
    assert found.dropped.total() == 0
    assert found.alarms == ()
    assert (found.shown["trust"] == 1).all()


def test_one_source_has_a_cap_and_keeps_its_first_events() -> None:
    found = guard_feedback(attacked(attack(300, only(0, 300), sessions=1)), GuardSettings(burst_floor=10**6))
    assert (
        found.dropped["beyond a source's cap"]
        == 300 - found.shown["clicked"][found.shown["source"] == "attacker 0"].sum()
    )
    assert found.shown["clicked"][found.shown["source"] == "attacker 0"].sum() <= 50
    assert "looks poisoned" in found.alarms[0]


def test_a_source_that_clicks_against_the_order_is_dropped_whole() -> None:
    found = guard_feedback(attacked(attack(60, only(SHOWN - 1, 60), sessions=2)), GuardSettings(burst_floor=10**6))
    assert found.dropped["against the order"] == 60
    assert not found.shown["clicked"][found.shown["source"].fillna("").str.startswith("attacker")].any()


def test_a_product_that_many_sources_click_beyond_expectation_is_dropped() -> None:
    pushed = attack(200, only(2, 200), sessions=10**9)
    pushed.loc[pushed["position"] == 2, "product_id"] = "pushed"
    found = guard_feedback(attacked(pushed), GuardSettings())
    assert not found.shown["clicked"][found.shown["product_id"] == "pushed"].any()
    assert found.dropped["beyond a product's cap"] >= 200 - 20


def test_a_burst_is_dropped_and_the_other_hours_stay() -> None:
    sudden = attack(100, only(0, 100), sessions=1).assign(product_id="p7")
    sudden["received"] = sudden["received"].where(sudden["received"].isna(), pd.Timestamp(START + timedelta(days=3)))
    found = guard_feedback(attacked(sudden), GuardSettings())
    assert found.dropped["bursts"] >= 100
    assert found.shown["clicked"][found.shown["request_id"].str.startswith("shopper")].sum() > 1000


@pytest.mark.parametrize("minutes", [50, 70])
def test_a_shop_s_first_hours_are_no_burst(minutes: int) -> None:
    """Most products have more clicks than any hour may have without other hours to tell, which are not there yet."""
    rows = shopping(3_000)
    opened = pd.Series(pd.Timestamp(START) + pd.to_timedelta(np.linspace(0, 60 * minutes, len(rows)), unit="s"))
    found = guard_feedback(rows.assign(received=opened.where(rows["clicked"])), GuardSettings())
    assert rows.loc[rows["clicked"], "product_id"].value_counts().median() > GuardSettings().burst_floor
    assert found.dropped["bursts"] == 0
    assert found.alarms == ()


def test_many_sessions_against_the_order_hide_from_all_caps_but_not_from_the_places() -> None:
    found = guard_feedback(attacked(attack(500, only(SHOWN - 1, 500), sessions=10**9)), GuardSettings())
    assert any("place 6 is clicked" in alarm for alarm in found.alarms)


def test_short_answers_that_nobody_clicks_make_no_longer_ones_suspicious() -> None:
    """An application that posts no feedback shows fewer products than the one that does."""
    silent = table(3_000, np.random.default_rng(5), np.zeros((3_000, SHOWN), bool), "silent")
    found = guard_feedback(attacked(silent[silent["position"] < 3]), GuardSettings())
    rates = found.shown.groupby("position")["clicked"].mean()
    assert rates[3] > 1.5 * rates[2], "by place alone it would seem upside down"
    assert found.alarms == ()


def test_a_click_on_nothing_alike_counts_little() -> None:
    rows = shopping(50)
    rows["score"] = np.tile([0.9, 0.5, 0.2, 0.1, 0.0, -0.5], 50)
    trust = guard_feedback(rows, GuardSettings()).shown["trust"].to_numpy().reshape(50, SHOWN)
    assert trust[0] == pytest.approx([1, 0.5, 0, 0, 0, 0])
