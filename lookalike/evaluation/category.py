"""How well a query's vertical is told, and with which weights: calibrated on validation, measured on the test split."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import faiss
import numpy as np
from numpy.typing import NDArray

from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.evaluation.measure import Evaluation, Measured, alike_values
from lookalike.evaluation.metrics import Values
from lookalike.evaluation.retrieval import Gallery, Ranking, rank_products
from lookalike.evaluation.truth import Truth
from lookalike.fusion import NEIGHBOURS, Fusion, fuse, head_verticals, vote_verticals

SHARPNESS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
HEAD_WEIGHTS = tuple(place / 20 for place in range(21))
BOOSTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
SAFE = 0.99
"""Share of validation queries whose vertical must be right where a search is narrowed to it."""
BOOSTED = 50
"""Products that compete for the first places when the boost is chosen."""
LEAST = 1e-6
"""A probability of zero would make one wrong query decide everything."""


@dataclass(frozen=True)
class Witnesses:
    """What head and neighbours say of Q queries, and what is true."""

    truth: NDArray[np.int64]
    """(Q,) place of the query's own vertical."""
    scores: NDArray[np.float32]
    """(Q, K) cosines of the nearest photos, the query's own item left out."""
    filed: NDArray[np.int64]
    """(Q, K) places of their verticals, -1 beyond the last."""
    heads: dict[str, NDArray[np.float64]]
    """(Q, V) by attribute."""


def calibrate(
    identity: ModelIdentity, truth: Truth, own: NDArray[np.int64], asked: Embeddings, gallery: Gallery
) -> Fusion:
    """Fusion weights from the embeddings of (Q,) validation products' damaged photos.

    Weights minimise the fused distribution's log loss; the head is that of the attribute whose own loss is least.
    """
    verticals = tuple(sorted(set(truth.verticals)))
    shares = _shares(identity, truth, verticals)
    seen = _witnesses(verticals, shares, identity, truth, own, asked, gallery)
    attribute = min(seen.heads, key=lambda name: _loss(seen.heads[name], seen.truth), default=None)
    sharpness, head_weight = _least_loss(seen, attribute, len(verticals))
    fused = _fused(seen, attribute, sharpness, head_weight, len(verticals))
    return Fusion(
        model_fingerprint=identity.fingerprint,
        verticals=verticals,
        attribute=attribute,
        by_value=shares[attribute] if attribute else {},
        sharpness=sharpness,
        head_weight=head_weight,
        sure=_sure(fused, seen.truth),
        boost=_best_boost(fused, verticals, truth, own, asked, gallery),
    )


def with_category(evaluation: Evaluation, fusion: Fusion, truth: Truth, names: tuple[str, ...]) -> Evaluation:
    """The evaluation with what fusion, head and votes get right per query of the named sets."""

    def told(measured: Measured) -> Measured:
        own, asked = measured.queries.photos.products, measured.embeddings
        judged = judge_queries(fusion, evaluation.identity, truth, own, asked, evaluation.gallery)
        return replace(measured, values=measured.values | judged)

    return replace(evaluation, sets=evaluation.sets | {name: told(evaluation.sets[name]) for name in names})


def judge_queries(
    fusion: Fusion,
    identity: ModelIdentity,
    truth: Truth,
    own: NDArray[np.int64],
    asked: Embeddings,
    gallery: Gallery,
) -> dict[str, Values]:
    """(Q,) values by metric; `category_gain` is over the better single witness of these queries."""
    seen, told = _heard(fusion, identity, truth, own, asked, gallery)
    singles = {f"category_{name}_accuracy": _right(one, seen.truth) for name, one in told.items() if name != "fused"}
    fused = _right(told["fused"], seen.truth)
    better = max(singles.values(), key=lambda values: float(values.mean()))
    return {**singles, "category_accuracy": fused, "category_gain": fused - better}


def fused_verticals(
    fusion: Fusion,
    identity: ModelIdentity,
    truth: Truth,
    own: NDArray[np.int64],
    asked: Embeddings,
    gallery: Gallery,
) -> NDArray[np.float64]:
    """(Q, V) fused distributions of queries, their own items left out of the votes."""
    return _heard(fusion, identity, truth, own, asked, gallery)[1]["fused"]


def _heard(
    fusion: Fusion,
    identity: ModelIdentity,
    truth: Truth,
    own: NDArray[np.int64],
    asked: Embeddings,
    gallery: Gallery,
) -> tuple[Witnesses, dict[str, NDArray[np.float64]]]:
    """The witnesses of queries, and the (Q, V) distributions of votes, head (where one speaks) and both."""
    shares = {fusion.attribute: fusion.by_value} if fusion.attribute else {}
    seen = _witnesses(fusion.verticals, shares, identity, truth, own, asked, gallery)
    count = len(fusion.verticals)
    told = {"votes": vote_verticals(seen.scores, seen.filed, count, fusion.sharpness)}
    told |= {"head": seen.heads[fusion.attribute]} if fusion.attribute else {}
    told["fused"] = _fused(seen, fusion.attribute, fusion.sharpness, fusion.head_weight, count)
    return seen, told


def _shares(
    identity: ModelIdentity, truth: Truth, verticals: tuple[str, ...]
) -> dict[str, dict[str, tuple[float, ...]]]:
    """Per attribute with a head and per value, the (V,) shares of verticals among train products; one more product
    of every vertical keeps a rare value from being certain."""
    train = truth.splits == "train"
    places = places_of(verticals, truth)[train]
    shares: dict[str, dict[str, tuple[float, ...]]] = {}
    for name in set(identity.attribute_labels) & set(truth.values):
        codes = truth.codes[train, truth.attributes.index(name)]
        counts = np.full((len(truth.values[name]), len(verticals)), 1 / len(verticals))
        np.add.at(counts, (codes[codes >= 0], places[codes >= 0]), 1)
        rows = counts / counts.sum(axis=1, keepdims=True)
        shares[name] = {value: tuple(row.tolist()) for value, row in zip(truth.values[name], rows, strict=True)}
    return shares


def places_of(verticals: tuple[str, ...], truth: Truth) -> NDArray[np.int64]:
    """(P,) the place of every product's vertical."""
    return np.searchsorted(np.array(verticals, dtype=object), truth.verticals).astype(np.int64)


def _witnesses(
    verticals: tuple[str, ...],
    shares: Mapping[str, Mapping[str, tuple[float, ...]]],
    identity: ModelIdentity,
    truth: Truth,
    own: NDArray[np.int64],
    asked: Embeddings,
    gallery: Gallery,
) -> Witnesses:
    places = places_of(verticals, truth)
    scores, products = _neighbours(asked.vectors, gallery, truth.items[own])
    heads = {
        name: head_verticals(asked.attributes[name], identity.attribute_labels[name], by_value, len(verticals))
        for name, by_value in sorted(shares.items())
    }
    return Witnesses(places[own], scores, np.where(products >= 0, places[products], -1), heads)


def _neighbours(
    vectors: NDArray[np.float32], gallery: Gallery, left_out: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(Q, K) cosines and products of the nearest photos that do not show the query's own item."""
    index = faiss.IndexFlatIP(gallery.vectors.shape[1])
    index.add(np.ascontiguousarray(gallery.vectors))
    most = int(np.unique(gallery.items, return_counts=True)[1].max())
    scores, rows = index.search(np.ascontiguousarray(vectors), min(NEIGHBOURS + most, index.ntotal))  # (Q, depth)
    others = gallery.items[rows] != left_out[:, None]
    order = np.argsort(~others, axis=1, kind="stable")[:, :NEIGHBOURS]
    kept = np.take_along_axis(others, order, axis=1)
    products = np.take_along_axis(gallery.products[rows], order, axis=1)
    return np.take_along_axis(scores, order, axis=1), np.where(kept, products, -1)


def _fused(
    seen: Witnesses, attribute: str | None, sharpness: float, head_weight: float, count: int
) -> NDArray[np.float64]:
    votes = vote_verticals(seen.scores, seen.filed, count, sharpness)
    return votes if attribute is None else fuse(seen.heads[attribute], votes, head_weight)


def _least_loss(seen: Witnesses, attribute: str | None, count: int) -> tuple[float, float]:
    """The sharpness and head weight of least log loss; votes alone where there is no head."""
    weights = HEAD_WEIGHTS if attribute else (0.0,)
    grid = [(sharpness, weight) for sharpness in SHARPNESS for weight in weights]
    return min(grid, key=lambda pair: _loss(_fused(seen, attribute, pair[0], pair[1], count), seen.truth))


def _loss(distribution: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Mean negative log likelihood of the true verticals."""
    return float(-np.log(np.maximum(distribution[np.arange(len(truth)), truth], LEAST)).mean())


def _right(distribution: NDArray[np.float64], truth: NDArray[np.int64]) -> Values:
    return (distribution.argmax(axis=1) == truth).astype(np.float64)


def _sure(fused: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The smallest confidence above which at least SAFE of the queries are right; 1 where there is none."""
    confidence = fused.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(_right(fused, truth)[order]) / np.arange(1, len(truth) + 1)
    safe = np.flatnonzero(right >= SAFE)
    return float(min(confidence[order[safe[-1]]], 1.0)) if len(safe) else 1.0


def _best_boost(
    fused: NDArray[np.float64],
    verticals: tuple[str, ...],
    truth: Truth,
    own: NDArray[np.int64],
    asked: Embeddings,
    gallery: Gallery,
) -> float:
    """The boost of most fine precision@4 of the queries, the smallest of equals."""
    found = rank_products(asked.vectors, gallery, BOOSTED, left_out=truth.items[own], label="choosing the boost")
    gains = np.take_along_axis(fused, places_of(verticals, truth)[found.products], axis=1)  # (Q, BOOSTED)

    def precision(boost: float) -> float:
        boosted = np.where(found.products >= 0, found.scores + boost * gains, -np.inf)
        order = np.argsort(-boosted, axis=1, kind="stable")
        ranking = Ranking(np.take_along_axis(found.products, order, axis=1), np.take_along_axis(boosted, order, axis=1))
        return float(np.nanmean(alike_values(truth, own, ranking)["fine_precision_at_4"]))

    return max(BOOSTS, key=lambda boost: (precision(boost), -boost))
