"""Only what meets every limit is chosen, the cheapest of it; where nothing does, the sentence says by how much."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import VectorIndexError
from lookalike.selection.choice import GIB, Limits, choose, shortfalls

LIMITS = Limits(products=1_000, updates_per_hour=10_000, latency_ms=5, memory_gib=2, recall=0.9)


def row(name: str = "flat", **values: Any) -> dict[str, Any]:
    usual = {
        "name": name,
        "settings": '{"structure": {"kind": "flat"}}',
        "k": 10,
        "queries": 100,
        "threads": 1,
        "updates": 60,
        "recall": 0.95,
        "recall_low": 0.94,
        "recall_high": 0.96,
        "queries_per_second": 1_000.0,
        "p99_ms": 1.0,
        "updating_p99_ms": 2.0,
        "build_seconds": 10.0,
        "upsert_seconds_per_1000": 1.0,
        "beside": 5_000,
        "scanned_bytes": GIB // 4,
        "total_bytes": GIB,
    }
    return {**usual, **values}


ROWS = st.lists(
    st.builds(
        row,
        recall=st.sampled_from([0.5, 0.89, 0.9, 0.95, 1.0]),
        queries_per_second=st.sampled_from([100.0, 990.0, 1_000.0, 5_000.0]),
        p99_ms=st.sampled_from([1.0, 5.0, 5.1]),
        updating_p99_ms=st.sampled_from([1.0, 5.0, 5.1, 50.0]),
        build_seconds=st.sampled_from([1.0, 100.0, 895.0, 896.0]),
        total_bytes=st.sampled_from([GIB, int(1.05 * GIB), 2 * GIB, 3 * GIB]),
    ),
    min_size=1,
    max_size=12,
)


def holds(made: dict[str, Any]) -> bool:
    """Every limit, spelled out."""
    busy = (10 * made["upsert_seconds_per_1000"] + 2 * made["build_seconds"]) / 3_600
    quick = made["p99_ms"] <= 5 and made["updating_p99_ms"] <= 5
    return bool(quick and made["total_bytes"] <= 2 * GIB and busy <= 0.5 and made["recall"] >= 0.9)


@settings(deadline=None)  # a busy machine is not a fault
@given(ROWS)
def test_what_is_chosen_meets_every_limit_and_nothing_that_does_is_cheaper(rows: list[dict[str, Any]]) -> None:
    rows = [{**made, "name": f"candidate {place}"} for place, made in enumerate(rows)]
    choice = choose(pd.DataFrame(rows), LIMITS)
    fitting = [made for made in rows if holds(made)]
    assert choice.feasible == tuple(made["name"] for made in fitting)
    if not fitting:
        assert choice.chosen is None
        assert choice.settings is None
        return
    least = min(made["total_bytes"] for made in fitting)
    small = [made for made in fitting if made["total_bytes"] <= 1.1 * least]
    fastest = max(made["queries_per_second"] for made in small)
    quick = [made for made in small if made["queries_per_second"] >= 0.95 * fastest]
    assert choice.chosen == min(quick, key=lambda made: (made["build_seconds"], made["name"]))["name"]


def test_a_miss_says_what_was_measured_and_what_is_allowed() -> None:
    table = pd.DataFrame([row(recall=0.85), row("slow", updating_p99_ms=50.0)])
    choice = choose(table, LIMITS)
    assert choice.nearest == "flat"
    assert choice.reasons == (
        "No candidate of 2 meets every limit; the nearest is flat.",
        "Recall@10 is 0.8500, 0.9 is asked.",
    )


def test_a_limit_that_every_candidate_misses_is_named() -> None:
    table = pd.DataFrame([row(total_bytes=3 * GIB), row("large", total_bytes=4 * GIB)])
    choice = choose(table, LIMITS)
    assert choice.nearest == "flat"
    assert "It takes 3 GiB, 2 GiB is allowed." in choice.reasons
    assert "No candidate meets the limit of memory by itself." in choice.reasons


def test_updates_whose_rebuilds_take_too_long_are_refused() -> None:
    missed = shortfalls(pd.Series(row(build_seconds=1_500.0)), LIMITS)
    assert [shortfall.limit for shortfall in missed] == ["updates"]
    assert missed[0].sentence == "10,000 updates and their rebuilds take 84% of an hour, 50% is allowed"
    still = LIMITS.model_copy(update={"updates_per_hour": 0})
    assert shortfalls(pd.Series(row(build_seconds=3_000.0)), still) == []


def test_the_scanned_part_alone_counts_where_vectors_may_stay_on_disk() -> None:
    narrow = LIMITS.model_copy(update={"memory_gib": 0.5})
    assert choose(pd.DataFrame([row()]), narrow).chosen is None
    assert choose(pd.DataFrame([row()]), narrow.model_copy(update={"memory_of": "scanned"})).chosen == "flat"


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(VectorIndexError, match="nothing was measured"):
        choose(pd.DataFrame(), LIMITS)
