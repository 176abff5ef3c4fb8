"""The stage between the logs and training: clicks for mining, labelled recent traffic for the gate.

A query of the train split teaches; a query of any other split measures. Nothing does both.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from lookalike.catalog.products import load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.config import StrictConfig
from lookalike.embedders.model_folder import load_model
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.evaluation.recent import ALARMS, RECENT
from lookalike.feedback.clicked_vectors import write_clicked_vectors
from lookalike.feedback.co_clicks import with_stand_ins
from lookalike.feedback.events import read_feedback
from lookalike.feedback.guard import Guarded, GuardSettings, guard_feedback
from lookalike.feedback.joining import Joined, join_feedback
from lookalike.feedback.propensity import estimate_propensities, given_propensities, similarity_bins
from lookalike.mining.clicks import CLICKS
from lookalike.mining.vectors import VECTORS
from lookalike.search.query_log import read_query_log
from lookalike.storage import StageRecord, run_stage, write_json


class CollectSettings(StrictConfig):
    """What feedback is collected, and what it counts."""

    days: float = Field(default=30, gt=0)
    """How far back answers are looked at."""
    purchase_weight: float = Field(default=3.0, ge=1)
    """What a purchase counts against a click."""
    propensities: tuple[float, ...] = ()
    """Chance that each place of an answer is looked at, the first one first; empty to estimate them from the log."""
    estimate_clicks: int = Field(default=1_000, ge=1)
    """Clicks below which nothing is estimated and `steepness` is used."""
    steepness: float = Field(default=1.0, ge=0)
    """Looks fall off as 1 / place to this power where they are neither given nor estimated."""
    most_weight: float = Field(default=10.0, ge=1)
    """Largest inverse of a propensity; more would let a few clicks far down decide everything."""
    guard: GuardSettings = GuardSettings()
    """What feedback is believed."""


@dataclass(frozen=True)
class Collected:
    """What became of a window of feedback."""

    clicks: pd.DataFrame
    """A click log as mining reads it, of queries of the train split."""
    recent: pd.DataFrame
    """Labelled answers as the gate reads them, of all other queries."""
    guarded: Guarded
    propensities: NDArray[np.float64]
    """(K,) of the first K places."""


@dataclass(frozen=True)
class InService:
    """The shop as shoppers saw it."""

    validated: Path
    """The validate stage's output, with the photos."""
    model: Path
    """Model folder of the release in service."""


def collect_feedback(
    query_log: Path,
    feedback: Path,
    splits: Path,
    output: Path,
    now: datetime,
    settings: CollectSettings | None = None,
    in_service: InService | None = None,
) -> StageRecord:
    """Write clicks.parquet, recent.parquet and guard.json. `now` has a time zone. Raises ArtifactError.

    With the model `in_service`, vectors.parquet holds the products that were clicked or shown, which mining filters
    clicks by. Where nothing was clicked, the content is the same whatever the time and the log.
    """
    chosen = settings or CollectSettings()

    def work(folder: Path) -> dict[str, Any]:
        since = now - timedelta(days=chosen.days)
        joined = join_feedback(
            read_feedback(feedback, since), read_query_log(query_log, None, since, photos_only=False)
        )
        table = pd.read_parquet(splits / SPLITS, columns=["product_id", "split"])
        found = collect(joined, set(table.loc[table["split"] == "train", "product_id"]), chosen)
        found.clicks.to_parquet(folder / CLICKS)
        found.recent.to_parquet(folder / RECENT)
        if in_service is not None:
            catalogue, model = load_catalogue(in_service.validated), OnnxEmbedder(in_service.model)
            write_clicked_vectors(folder, found.clicks, catalogue, model)
        figures = {
            "events": dict(joined.events),
            "dropped": dict(found.guarded.dropped),
            "alarms": list(found.guarded.alarms),
            "propensities": found.propensities.round(4).tolist(),
        }
        write_json(folder / ALARMS, figures)
        return {"clicked": int(found.clicks["clicked"].sum()), "labelled": _answers(found.recent), **figures}

    return run_stage(
        "collect_feedback",
        output,
        inputs={"splits": splits} | ({"validated": in_service.validated} if in_service else {}),
        settings={
            "collect": chosen.model_dump(mode="json"),
            "now": now.isoformat(),
            "model": load_model(in_service.model).fingerprint if in_service else None,
        },
        content=[CLICKS, RECENT, ALARMS, *([VECTORS] if in_service else [])],
        work=work,
    )


def collect(joined: Joined, teaching: set[str], settings: CollectSettings) -> Collected:
    """Guard what was joined, weigh it, and part it by whether the product asked with is one of `teaching`.

    Answers in which nothing was clicked help to tell how often a place is looked at, and are left out then.
    """
    guarded = guard_feedback(joined.shown, settings.guard)
    propensities = _propensities(guarded.shown, settings)
    rows = with_stand_ins(guarded.shown)
    rows = rows[rows.groupby("request_id")["clicked"].transform("any").astype(bool)]
    looked = propensities[rows["position"].to_numpy(int)] if len(rows) else np.empty(0)
    counted = np.where(rows["purchased"], settings.purchase_weight, 1.0) * rows["trust"].to_numpy(float)
    weight = np.where(rows["clicked"], counted * np.minimum(1 / looked, settings.most_weight), 0.0)
    rows = rows.assign(weight=weight, when=rows["time"])
    teaches = rows["query"].isin(teaching).to_numpy(bool)
    measures = ~teaches & ~rows["stand_in"].to_numpy(bool)  # what was clicked asks no question of its own
    return Collected(
        rows.loc[teaches, ["query", "product_id", "position", "clicked", "when", "weight"]].reset_index(drop=True),
        rows.loc[measures, ["request_id", "query", "product_id", "position", "weight", "source"]]
        .assign(source=_sources(rows[measures]))
        .reset_index(drop=True),
        guarded,
        propensities,
    )


def _sources(rows: pd.DataFrame) -> "pd.Series[str]":
    """Who labelled the answer; its rows without a label have none of their own."""
    return rows.groupby("request_id")["source"].transform("first").fillna("unnamed")


def _answers(rows: pd.DataFrame) -> int:
    return int(rows["request_id"].nunique())


def _propensities(shown: pd.DataFrame, settings: CollectSettings) -> NDArray[np.float64]:
    """(K,) of all places that were shown; none where nothing was clicked."""
    places = int(shown["position"].max()) + 1 if shown["clicked"].any() else 0
    if places == 0:
        return np.empty(0)
    if settings.propensities:
        given = np.array(settings.propensities)
        return np.concatenate([given, np.full(max(0, places - len(given)), given[-1])])
    if shown["clicked"].sum() < settings.estimate_clicks:
        return given_propensities(places, settings.steepness)
    bins = similarity_bins(shown["score"].to_numpy(float))
    return estimate_propensities(shown["position"].to_numpy(np.int64), shown["clicked"].to_numpy(bool), bins)
