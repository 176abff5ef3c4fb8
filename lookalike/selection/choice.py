"""The cheapest candidate within the limits, with the reasons in sentences."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.errors import VectorIndexError
from lookalike.index.faiss_settings import FaissSettings

HOUR = 3_600.0
GIB = 2**30
SAME_MEMORY = 1.1
"""Candidates within 10 % of the least memory count as equally cheap: speed decides among them."""
SAME_SPEED = 0.95
"""Within 5 % of the most queries a second they count as equally fast: the shorter build decides."""


class Limits(StrictConfig):
    """What an index must hold."""

    products: int = Field(ge=1)
    """Products in the catalogue."""
    updates_per_hour: int = Field(ge=0)
    """Photos that change in an hour; each time too many of them lie beside the structure it is built anew."""
    latency_ms: float = Field(gt=0)
    """Longest 99th percentile of a single search, whether or not changes lie beside the structure."""
    memory_gib: float = Field(gt=0)
    """Most memory of one copy of the index."""
    recall: float = Field(gt=0, le=1)
    """Least share of the exact neighbours found."""
    memory_of: Literal["total", "scanned"] = "total"
    """`scanned` leaves out the stored vectors, then read from the disk where the page cache has none."""
    most_busy: float = Field(default=0.5, gt=0, le=1)
    """Largest share of an hour that storing its changes, and rebuilding, may take."""


@dataclass(frozen=True)
class Shortfall:
    """A limit that a candidate misses."""

    limit: str
    excess: float
    """By which share of the limit."""
    sentence: str


@dataclass(frozen=True)
class Choice:
    """What to build, or why nothing fits."""

    chosen: str | None
    """Name of the candidate; None where none meets every limit."""
    settings: dict[str, Any] | None
    """Its FaissSettings, as an index folder's settings.json holds them."""
    nearest: str
    """The chosen one, or the one that misses the limits by least."""
    nearest_settings: dict[str, Any]
    feasible: tuple[str, ...]
    """All that meet every limit."""
    reasons: tuple[str, ...]

    def as_json(self, limits: Limits) -> dict[str, Any]:
        return {**asdict(self), "limits": limits.model_dump()}


def choose(table: pd.DataFrame, limits: Limits) -> Choice:
    """The cheapest row of a sweep's table within the limits.

    Cheapest is the least memory; among those within 10 % of it the most queries a second; among those within 5 % of
    that the shortest build, then the name. Where no row meets every limit, the nearest is the one whose misses,
    as shares of their limits, add up to least. Raises VectorIndexError for an empty table.
    """
    if table.empty:
        raise VectorIndexError("nothing was measured, so nothing can be chosen")
    misses = [shortfalls(row, limits) for _, row in table.iterrows()]
    feasible = table[[not missed for missed in misses]]
    if feasible.empty:
        return _none(table, misses, limits)
    row = _cheapest(feasible, limits)
    settings = chosen_settings(row["settings"])
    names = tuple(feasible["name"])
    return Choice(row["name"], settings, row["name"], settings, names, _reasons(row, feasible, len(table), limits))


def chosen_settings(text: str) -> dict[str, Any]:
    """A candidate's settings, read and checked."""
    return FaissSettings.model_validate_json(text).model_dump()


def shortfalls(row: "pd.Series[Any]", limits: Limits) -> list[Shortfall]:
    """The limits that a row of the table misses."""
    latency = max(row["p99_ms"], row["updating_p99_ms"])
    memory, busy = memory_gib(row, limits), busy_share(row, limits)
    found = [
        _over("latency", latency, limits.latency_ms, f"p99 is {latency:.3g} ms, {limits.latency_ms:g} ms is allowed"),
        _over("memory", memory, limits.memory_gib, f"it takes {memory:.3g} GiB, {limits.memory_gib:g} GiB is allowed"),
        _over(
            "updates",
            busy,
            limits.most_busy,
            f"{limits.updates_per_hour:,} updates and their rebuilds take {busy:.0%} of an hour, "
            f"{limits.most_busy:.0%} is allowed",
        ),
        _over(
            "recall",
            limits.recall,
            row["recall"],
            f"recall@{row['k']} is {row['recall']:.4f}, {limits.recall:g} is asked",
        ),
    ]
    return [missed for missed in found if missed is not None]


def busy_share(row: "pd.Series[Any]", limits: Limits) -> float:
    """Share of an hour that storing its updates, and the rebuilds they bring about, take one after another."""
    storing = limits.updates_per_hour / 1_000 * row["upsert_seconds_per_1000"]
    rebuilds = limits.updates_per_hour / row["beside"]
    return float((storing + rebuilds * row["build_seconds"]) / HOUR)


def memory_gib(row: "pd.Series[Any]", limits: Limits) -> float:
    """The memory that counts."""
    return float(row[f"{limits.memory_of}_bytes"] / GIB)


def _over(limit: str, value: float, allowed: float, sentence: str) -> Shortfall | None:
    return Shortfall(limit, value / max(allowed, 1e-12) - 1, sentence) if value > allowed else None


def _cheapest(feasible: pd.DataFrame, limits: Limits) -> "pd.Series[Any]":
    memory, speed = feasible[f"{limits.memory_of}_bytes"], "queries_per_second"
    small = feasible[memory <= SAME_MEMORY * memory.min()]
    fast = small[small[speed] >= SAME_SPEED * small[speed].max()]
    return fast.sort_values(["build_seconds", "name"]).iloc[0]


def _reasons(row: "pd.Series[Any]", feasible: pd.DataFrame, tried: int, limits: Limits) -> tuple[str, ...]:
    others = feasible[feasible["name"] != row["name"]]
    told = [
        f"{len(feasible)} of {tried} candidates meet every limit; {row['name']} is the cheapest of them.",
        f"It takes {memory_gib(row, limits):.3g} GiB of the {limits.memory_gib:g} GiB allowed ({limits.memory_of}).",
        f"It finds {row['recall']:.4f} of the exact {row['k']} nearest (95 % interval {row['recall_low']:.4f} to "
        f"{row['recall_high']:.4f}, {row['queries']:,} queries); {limits.recall:g} is asked.",
        f"Its p99 is {row['updating_p99_ms']:.3g} ms with {row['updates']:,} changes waiting, {row['p99_ms']:.3g} ms "
        f"without; {limits.latency_ms:g} ms is allowed. It answers {row['queries_per_second']:,.0f} queries/s on "
        f"{row['threads']} core{'s' if row['threads'] > 1 else ''}.",
        f"An hour's {limits.updates_per_hour:,} updates, with a rebuild every {row['beside']:,}, keep the writer busy "
        f"for {busy_share(row, limits):.1%} of the hour; {limits.most_busy:.0%} is allowed.",
    ]
    if not others.empty:
        fastest = others.sort_values("queries_per_second").iloc[-1]
        told.append(
            f"{fastest['name']} answers {fastest['queries_per_second']:,.0f} queries/s within the limits too, "
            f"with {memory_gib(fastest, limits):.3g} GiB."
        )
    return tuple(told)


def _none(table: pd.DataFrame, misses: Sequence[Sequence[Shortfall]], limits: Limits) -> Choice:
    place = min(range(len(misses)), key=lambda number: (sum(missed.excess for missed in misses[number]), number))
    row = table.iloc[place]
    told = [f"No candidate of {len(table)} meets every limit; the nearest is {row['name']}."]
    told += [f"{missed.sentence[:1].upper()}{missed.sentence[1:]}." for missed in misses[place]]
    alone = [{missed.limit for missed in missed_by} for missed_by in misses]
    told += [
        f"No candidate meets the limit of {limit} by itself." for limit in sorted(set.intersection(*alone)) if limit
    ]
    return Choice(None, None, row["name"], chosen_settings(row["settings"]), (), tuple(told))
