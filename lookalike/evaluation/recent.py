"""Champion and challenger on labelled recent traffic: what shoppers clicked and bought among what they were shown.

Shoppers see the first places most, so clicks praise whatever order they were shown in. Each labelled answer therefore
counts by the inverse of the chance that its place was looked at: Joachims, Swaminathan and Schnabel, "Unbiased
Learning-to-Rank with Biased Feedback" (WSDM 2017, arXiv 1608.04468), section 4, for the discounted gain of a
re-ranked list. Both models rank the same lists of products that were shown; what was never shown has no label.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.products import Catalogue
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ArtifactError, EvaluationError
from lookalike.evaluation.bootstrap import Resamples, draw_resamples
from lookalike.evaluation.embedding import embed_photos
from lookalike.storage import read_json

RECENT = "recent.parquet"
COLUMNS = ("request_id", "query", "product_id", "position", "weight", "source")
"""A row per product shown: the product asked with, the product shown, its place from 0, what its label counts (0 where
it was neither clicked nor bought), and who asked. Rows of one request_id are one answer."""

ALARMS = "guard.json"
"""What the guard against poisoned feedback found; its `alarms` are sentences."""

Similarities = Callable[[NDArray[np.object_], NDArray[np.object_]], NDArray[np.float64]]
"""Cosine of pairs of product ids, (n,) and (n,) to (n,)."""


@dataclass(frozen=True)
class RecentComparison:
    """Both models' gains on the same labelled answers."""

    challenger: NDArray[np.float64]
    """(answers,): their mean is 1 where all that was wanted stands first."""
    champion: NDArray[np.float64]
    resamples: Resamples
    """Clustered by who asked: a hundred answers of one source are one opinion."""

    @property
    def answers(self) -> int:
        return len(self.challenger)


def read_recent(folder: Path) -> pd.DataFrame:
    """The labelled answers of collected feedback. Raises ArtifactError, and EvaluationError for other columns."""
    path = folder / RECENT
    if not path.is_file():
        raise ArtifactError(f"{folder} holds no {RECENT}; collect the feedback first")
    rows = pd.read_parquet(path)
    missing = [name for name in COLUMNS if name not in rows]
    if missing:
        raise EvaluationError(f"{path} has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}")
    return rows


def read_alarms(folder: Path) -> tuple[str, ...]:
    """Why no challenger that learned from this feedback may be promoted without a person. Raises ArtifactError."""
    return tuple(read_json(folder / ALARMS)["alarms"])


def compare_recent(
    rows: pd.DataFrame, challenger: Similarities, champion: Similarities, repeats: int, confidence: float, seed: int
) -> RecentComparison | None:
    """None where no answer has a label. `rows` have COLUMNS."""
    labelled = rows[rows.groupby("request_id")["weight"].transform("sum") > 0]
    if labelled.empty:
        return None
    ours, theirs = (gains(labelled, similarities) for similarities in (challenger, champion))
    sources = labelled.groupby("request_id")["source"].first()
    clusters = pd.factorize(sources[ours.index])[0].astype(np.int64)
    resamples = draw_resamples(clusters, repeats, confidence, seed)
    return RecentComparison(np.asarray(ours, np.float64), np.asarray(theirs, np.float64), resamples)


def gains(rows: pd.DataFrame, similarities: Similarities) -> "pd.Series[float]":
    """Per request_id the weighted sum of 1 / log2(1 + rank) over its labelled products, in mean weights of an answer.

    Divided by the answer's own weight instead, the weight of its only click would cancel out, and with it the
    correction: whatever order was shown would win.
    """
    scored = rows.assign(score=similarities(rows["query"].to_numpy(object), rows["product_id"].to_numpy(object)))
    rank = scored.groupby("request_id")["score"].rank(ascending=False, method="max")  # a tie earns its last place
    scored["gain"] = scored["weight"] / np.log2(1 + rank)
    sums = scored.groupby("request_id")[["gain", "weight"]].sum()
    return sums["gain"] / sums["weight"].mean()


def similarities_of(embedder: Embedder, catalogue: Catalogue, rows: pd.DataFrame, batch: int) -> Similarities:
    """A model's cosines between the products of `rows`, by each one's main photo. Products must be in the catalogue."""
    named = pd.Index(pd.unique(np.concatenate([rows["query"].to_numpy(object), rows["product_id"].to_numpy(object)])))
    photos = catalogue.gallery_photos.drop_duplicates("product_id").set_index("product_id")["photo_id"].reindex(named)
    contents = catalogue.photo_contents(list(photos))
    vectors = embed_photos(embedder, [contents[photo] for photo in photos], batch, "embedding recent traffic").vectors
    return cosines(named, vectors)


def cosines(ids: pd.Index, vectors: NDArray[np.float32]) -> Similarities:
    """Cosines of the products `ids`, whose unit vectors (N, D) are known."""

    def pairs(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.float64]:
        ours, theirs = ids.get_indexer(pd.Index(first)), ids.get_indexer(pd.Index(second))
        return np.einsum("nd,nd->n", vectors[ours], vectors[theirs]).astype(np.float64)

    return pairs
