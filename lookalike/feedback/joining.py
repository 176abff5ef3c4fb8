"""Events joined to the answers they are about: what was shown, where, and what became of it.

Whoever posts an event may be wrong or lie. An event counts only where the query log has its answer once, the answer
showed that product at that place, and the event came afterwards and in time.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

MATCHED = "matched"
UNKNOWN = "of no known answer"
REPEATED = "of a request id that several answers have"
NOT_SHOWN = "about a product the answer did not show there"
LATE = "before the answer, or too late"
LATEST = timedelta(days=7)
"""After its answer, when an event says nothing about it any more."""


@dataclass(frozen=True)
class Joined:
    """Everything that was shown, and what the events said of it."""

    shown: pd.DataFrame
    """A row per product shown: request_id, query (the product asked with, None for a photo), product_id, position from
    0, score, time of the answer, release_id, clicked, purchased, source, caller, received (of the first event)."""
    events: Counter[str]
    """How many events were matched, and how many were not and why."""


def join_feedback(feedback: pa.Table, queries: pa.Table, latest: timedelta = LATEST) -> Joined:
    """`feedback` has FEEDBACK_SCHEMA, `queries` QUERY_LOG_SCHEMA with products asked with among them."""
    answers = queries.select(["time", "release_id", "hits", "scores", "request_id", "product_id"]).to_pandas()
    answers = answers[answers["request_id"].notna()].rename(columns={"product_id": "query"})
    repeated = answers["request_id"].duplicated(keep=False)
    shown = _shown(answers[~repeated])
    events = feedback.to_pandas()
    at = ["request_id", "product_id", "position"]
    joined = events.merge(shown[[*at, "time"]], on=at, how="left", suffixes=("", "_answered"))
    waited = joined["received"] - joined["time_answered"]
    state = np.select(
        [
            joined["request_id"].isin(answers.loc[repeated, "request_id"]),
            ~joined["request_id"].isin(answers["request_id"]),
            joined["time_answered"].isna(),
            ~waited.between(timedelta(0), latest),
        ],
        [REPEATED, UNKNOWN, NOT_SHOWN, LATE],
        MATCHED,
    )
    return Joined(_labelled(shown, joined[state == MATCHED]), Counter(state.tolist()))


def _shown(answers: pd.DataFrame) -> pd.DataFrame:
    """A row per product shown."""
    counts = answers["hits"].map(len).to_numpy(np.int64)
    once = answers[["request_id", "query", "time", "release_id"]]
    rows = once.loc[once.index.repeat(counts)].reset_index(drop=True)
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    hits = [product for products in answers["hits"] for product in products]
    scores = [score for values in answers["scores"] for score in values]
    return rows.assign(
        product_id=pd.Series(hits, dtype=object),
        score=pd.Series(scores, dtype=float),
        position=(np.arange(len(rows)) - begins).astype(np.int32),
    )


def _labelled(shown: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Every product shown with what was done with it; the first event on it names who did."""
    at = ["request_id", "product_id", "position"]
    named = events.assign(source=events["session"].fillna(events["caller"]).fillna("unnamed"))
    done = named.sort_values("received", kind="stable").groupby(at, sort=False)
    labels = done.agg(
        kinds=("kind", set), source=("source", "first"), caller=("caller", "first"), received=("received", "first")
    ).reset_index()
    rows = shown.merge(labels, on=at, how="left")
    purchased = rows["kinds"].map(lambda kinds: isinstance(kinds, set) and "purchase" in kinds).astype(bool)
    clicked = rows["kinds"].notna()  # what was bought was looked at
    return rows.drop(columns="kinds").assign(clicked=clicked, purchased=purchased)
