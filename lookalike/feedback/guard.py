"""The guard against poisoned feedback: whoever posts events may want a product to rise, or the model to rot.

Nothing here proves an attack. Each rule takes away what no shopper needs to do, and where much had to be taken away an
alarm holds back every challenger that learned from the window until a person has looked.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.feedback.propensity import similarity_bins


class GuardSettings(StrictConfig):
    """What feedback is believed."""

    most_per_source: int = Field(default=50, ge=1)
    """Products one source may have clicked or bought in the window; what comes later is dropped."""
    most_share: float = Field(default=0.02, gt=0, le=1)
    """Share of all events that one source may have, where that is less; never less than `source_floor`."""
    source_floor: int = Field(default=5, ge=1)
    """Events that any source may have."""
    product_times: float = Field(default=4.0, ge=1)
    """How many times the clicks expected of its places and similarities a product may have; beyond, all are dropped."""
    product_floor: float = Field(default=8.0, ge=0)
    """Clicks beyond that which any product may have."""
    burst_times: float = Field(default=4.0, ge=1)
    """How many times the clicks that its other hours tell a product's hour may have; beyond, the hour is dropped."""
    burst_floor: float = Field(default=8.0, ge=0)
    """Clicks beyond that which any hour of a product may have."""
    contrary_events: int = Field(default=5, ge=2)
    """Events from which on a source that clicks against the model's order is dropped."""
    contrary_chance: float = Field(default=1e-3, gt=0, lt=0.5)
    """Chance with which somebody who clicks blindly seems to click against the order."""
    nothing_alike: float = Field(default=0.3, ge=-1, le=1)
    """Cosine to the query up to which a click counts nothing."""
    alike: float = Field(default=0.7, ge=-1, le=1)
    """Cosine from which it counts in full; between the two it counts in part."""
    further_chance: float = Field(default=1e-4, gt=0, lt=0.5)
    """Chance with which honest clicks seem to be more at a place than at the one above it; beyond, that alarms."""
    alarm_share: float = Field(default=0.05, ge=0, le=1)
    """Share of dropped events above which no challenger is promoted without a person."""
    alarm_events: int = Field(default=20, ge=1)
    """Dropped events below which there is no alarm, whatever their share."""


@dataclass(frozen=True)
class Guarded:
    """Feedback after the guard."""

    shown: pd.DataFrame
    """As joined, but what was dropped is neither clicked nor bought; `trust` in [0, 1] is what the rest counts."""
    dropped: Counter[str]
    """Events by the rule that dropped them."""
    alarms: tuple[str, ...]


Rule = Callable[[pd.DataFrame, GuardSettings], NDArray[np.bool_]]
"""From everything shown to the rows (n,) whose events are dropped."""


def guard_feedback(shown: pd.DataFrame, settings: GuardSettings) -> Guarded:
    """Apply the rules one after the other, each to what the earlier ones left. `shown` is `Joined.shown`."""
    rows, dropped = shown.reset_index(drop=True), Counter[str]()
    given = int(rows["clicked"].sum())
    for name, rule in RULES.items():
        gone = rule(rows, settings) & rows["clicked"].to_numpy(bool)
        dropped[name] += int(gone.sum())
        rows = rows.assign(clicked=rows["clicked"] & ~gone, purchased=rows["purchased"] & ~gone)
    alarms = (*_alarms(dropped, given, settings), *_upside_down(rows, settings))
    trust = (rows["score"] - settings.nothing_alike) / (settings.alike - settings.nothing_alike)
    return Guarded(rows.assign(trust=trust.clip(0, 1)), dropped, alarms)


def _bursts(rows: pd.DataFrame, settings: GuardSettings) -> NDArray[np.bool_]:
    """Hours in which a product has far more clicks than its other hours tell, busy hours being busy for all products.

    One click more than its other hours had is allowed for what they do not show. Where all other products were clicked
    within this very hour nothing can be told: then the caps have to do.
    """
    hour, product = rows["received"].dt.floor("h"), rows["product_id"]
    clicks = rows["clicked"].astype(float)
    here, total = (clicks.groupby(keys).transform("sum").to_numpy(float) for keys in ([product, hour], product))
    all_here = clicks.groupby(hour).transform("sum").to_numpy(float)
    others_here, others_elsewhere = all_here - here, clicks.sum() - all_here - (total - here)
    expected = (total - here + 1) * others_here / np.maximum(others_elsewhere, 1)
    limit = settings.burst_times * expected + settings.burst_floor
    return np.asarray((here > limit) & (others_elsewhere > 0), bool)


def _contrary(rows: pd.DataFrame, settings: GuardSettings) -> NDArray[np.bool_]:
    """Sources whose clicks go to what is less alike than chance would pick; shoppers click the other way."""
    place = rows.groupby("request_id")["score"].rank(pct=True)
    length = rows.groupby("request_id")["score"].transform("size")
    above = place - (1 + 1 / length) / 2  # of a blind click: mean 0
    clicks = pd.DataFrame({"source": rows["source"], "above": above})[rows["clicked"]]
    sums = clicks.groupby("source")["above"].agg(["sum", "size"])
    limit = NormalDist().inv_cdf(settings.contrary_chance)
    contrary = (sums["size"] >= settings.contrary_events) & (sums["sum"] / np.sqrt(sums["size"] / 12) < limit)
    return rows["source"].isin(sums.index[contrary]).to_numpy(bool)


def _much_of_one_source(rows: pd.DataFrame, settings: GuardSettings) -> NDArray[np.bool_]:
    """A source's events beyond its cap, the first ones kept."""
    clicks = rows[rows["clicked"]].sort_values("received", kind="stable")
    most = min(settings.most_per_source, max(settings.source_floor, int(settings.most_share * len(clicks))))
    beyond = clicks.index[clicks.groupby("source").cumcount() >= most]
    return rows.index.isin(beyond)


def _much_of_one_product(rows: pd.DataFrame, settings: GuardSettings) -> NDArray[np.bool_]:
    """Products clicked far more than other products at their places, as similar to what was asked with."""
    kind = [rows["position"], similarity_bins(rows["score"].to_numpy(float))]
    clicks = rows["clicked"].astype(float)
    all_of, own = clicks.groupby(kind), clicks.groupby([*kind, rows["product_id"]])
    others = (all_of.transform("sum") - own.transform("sum"), all_of.transform("size") - own.transform("size"))
    expected = (others[0] / others[1]).fillna(clicks.mean())  # where nothing else stood so, what any place has
    sums = pd.DataFrame({"had": clicks, "expected": expected}).groupby(rows["product_id"]).transform("sum")
    return (sums["had"] > settings.product_times * sums["expected"] + settings.product_floor).to_numpy(bool)


RULES: dict[str, Rule] = {
    "bursts": _bursts,
    "against the order": _contrary,
    "beyond a source's cap": _much_of_one_source,
    "beyond a product's cap": _much_of_one_product,
}


def _alarms(dropped: Counter[str], given: int, settings: GuardSettings) -> tuple[str, ...]:
    count = dropped.total()
    if count < settings.alarm_events or count <= settings.alarm_share * given:
        return ()
    told = ", ".join(f"{number} {rule}" for rule, number in dropped.items() if number)
    return (
        f"the feedback looks poisoned: {count} of {given} events were dropped ({told}); "
        f"{settings.alarm_share:.0%} are tolerated, so a person must look before what learned from it is promoted",
    )


def _upside_down(rows: pd.DataFrame, settings: GuardSettings) -> tuple[str, ...]:
    """Both looks and likeness fall from place to place, so clicks do: many sessions of few clicks each hide from every
    rule about one source, but not from this. Places are compared within the answers that have both: longer ones may be
    shown elsewhere and clicked more."""
    last = rows.groupby("request_id")["position"].transform("max")
    above, below = rows[rows["position"] < last], rows[rows["position"] > 0]  # of the same answers: (K - 1,) pairs
    upper, lower = (part.groupby("position")["clicked"].mean().to_numpy(float) for part in (above, below))
    if not len(lower):
        return ()
    shown = below.groupby("position").size().to_numpy(float)
    pooled = (upper + lower) / 2
    rises = (lower - upper) / np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * 2 / shown)
    worst = int(rises.argmax())
    if rises[worst] <= NormalDist().inv_cdf(1 - settings.further_chance / len(rises)):
        return ()
    return (
        f"the feedback looks poisoned: place {worst + 2} is clicked in {lower[worst]:.1%} of answers, the one above it "
        f"in {upper[worst]:.1%}; a person must look before what learned from it is promoted",
    )
