"""Evaluate one embedder: embed queries and gallery, search exactly, judge every answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.embedders.protocol import Embedder, Embeddings, ModelIdentity
from lookalike.evaluation.bootstrap import Resamples, draw_resamples
from lookalike.evaluation.embedding import embed_photos
from lookalike.evaluation.metrics import (
    Codes,
    Values,
    all_match,
    hit_at_k,
    ideal_gains,
    known_item_recall_at_k,
    ndcg_at_k,
    precision_at_k,
    reciprocal_rank_at_k,
    share_matched,
)
from lookalike.evaluation.queries import PhotoSet, QuerySet
from lookalike.evaluation.retrieval import Gallery, Ranking, rank_products
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth

TOP = (1, 4, 10)
"""Depths of the figures; 4 is the first row on a phone, and Shopsy's own depth (arXiv 2210.04560)."""

DEPTH = max(TOP)


@dataclass(frozen=True)
class Measured:
    """One embedder's answers to one query set."""

    queries: QuerySet
    embeddings: Embeddings
    """Of the Q query photos."""
    known: Ranking
    """Answers from the largest gallery, the own product among them."""
    values: dict[str, Values]
    """Metric to its value per query (Q,), NaN where the query cannot be judged."""
    resamples: Resamples
    """The same for every embedder asked the same queries, so that figures can be paired."""


@dataclass(frozen=True)
class Evaluation:
    """Everything measured on one embedder."""

    identity: ModelIdentity
    gallery_photos: int
    """Photos of the split searched."""
    gallery: Gallery
    """The photos searched for the whole-catalogue figures; those of the split alone without distractors."""
    sets: dict[str, Measured]
    """By query set name."""

    @property
    def all_photos(self) -> int:
        return len(self.gallery.products)


@dataclass(frozen=True)
class Embedded:
    """One model's embeddings of everything an evaluation asks about."""

    gallery: Embeddings
    queries: dict[str, Embeddings]
    """By query set name."""
    distractors: Embeddings | None = None


def evaluate_embedder(
    embedder: Embedder,
    truth: Truth,
    queries: Sequence[QuerySet],
    gallery: PhotoSet,
    settings: EvaluationSettings,
    distractors: PhotoSet | None = None,
) -> Evaluation:
    """Search `gallery` with every query set and judge the answers per query.

    Alikeness is judged with the query's own item left out. Known-item figures keep it in; with `distractors`
    (further catalogue photos) they are also taken over both galleries together, as `catalogue_recall_at_k`.
    """
    embedded = embed_evaluation(embedder, queries, gallery, settings, distractors)
    return evaluate_embedded(embedder.identity, embedded, truth, queries, gallery, settings, distractors)


def embed_evaluation(
    embedder: Embedder,
    queries: Sequence[QuerySet],
    gallery: PhotoSet,
    settings: EvaluationSettings,
    distractors: PhotoSet | None = None,
) -> Embedded:
    """All the photos through the model, those that are in the gallery once."""
    shown = _embed(embedder, gallery, "gallery", settings)
    further = distractors if distractors is not None and len(distractors.contents) else None
    aside = None if further is None else _embed(embedder, further, "distractors", settings)
    answered = {
        asked.name: _from_gallery(asked.photos, gallery, shown) or _embed(embedder, asked.photos, asked.name, settings)
        for asked in queries
    }
    return Embedded(shown, answered, aside)


def evaluate_embedded(
    identity: ModelIdentity,
    embedded: Embedded,
    truth: Truth,
    queries: Sequence[QuerySet],
    gallery: PhotoSet,
    settings: EvaluationSettings,
    distractors: PhotoSet | None = None,
) -> Evaluation:
    """Judge what a model has embedded; see `evaluate_embedder`."""
    searched = everything = _gallery(gallery, embedded.gallery, truth)
    if distractors is not None and embedded.distractors is not None:
        everything = _joined(searched, _gallery(distractors, embedded.distractors, truth))
    sets = {}
    for asked in queries:
        answered = embedded.queries[asked.name]
        values, known = _judge(truth, asked, answered, searched, everything)
        values |= head_values(truth, asked.photos.products, answered, identity)
        clusters = truth.groups[asked.photos.products]
        resamples = draw_resamples(clusters, settings.repeats, settings.confidence, settings.seed)
        sets[asked.name] = Measured(asked, answered, known, values, resamples)
    return Evaluation(identity, len(searched.products), everything, sets)


def _embed(embedder: Embedder, photos: PhotoSet, name: str, settings: EvaluationSettings) -> Embeddings:
    return embed_photos(embedder, photos.contents, settings.batch, f"embedding {name}")


def _from_gallery(photos: PhotoSet, gallery: PhotoSet, shown: Embeddings) -> Embeddings | None:
    """The embeddings of photos that are all in the gallery and need no second pass through the model."""
    places = {content: place for place, content in enumerate(gallery.contents)}
    if any(content not in places for content in photos.contents):
        return None
    rows = [places[content] for content in photos.contents]
    return Embeddings(shown.vectors[rows], {name: values[rows] for name, values in shown.attributes.items()})


def _gallery(photos: PhotoSet, embeddings: Embeddings, truth: Truth) -> Gallery:
    return Gallery(embeddings.vectors, photos.products, truth.items[photos.products])


def _joined(first: Gallery, second: Gallery) -> Gallery:
    return Gallery(
        np.concatenate([first.vectors, second.vectors]),
        np.concatenate([first.products, second.products]),
        np.concatenate([first.items, second.items]),
    )


def _judge(
    truth: Truth, queries: QuerySet, embeddings: Embeddings, gallery: Gallery, everything: Gallery
) -> tuple[dict[str, Values], Ranking]:
    """Every retrieval metric per query, and the ranking of the largest gallery with the own product in it."""
    own = queries.photos.products  # (Q,)
    alike = rank_products(embeddings.vectors, gallery, DEPTH, left_out=truth.items[own])
    known = rank_products(embeddings.vectors, everything, DEPTH)
    values = alike_values(truth, own, alike) | ndcg_values(truth, own, alike, gallery)
    if queries.known_item:
        in_split = known if everything is gallery else rank_products(embeddings.vectors, gallery, DEPTH)
        values |= known_item_values(own, in_split, "known_item")
        if everything is not gallery:
            values |= known_item_values(own, known, "catalogue")
    return values, known


def alike_values(truth: Truth, own: NDArray[np.int64], ranking: Ranking) -> dict[str, Values]:
    """Precision and hit at every depth, coarse and fine, and precision@4 of every attribute by itself."""
    query, ranked = truth.codes[own], ranked_codes(truth.codes, ranking)  # (Q, A), (Q, K, A)
    values = {}
    for level, columns in (("coarse", list(truth.coarse)), ("fine", list(truth.fine))):
        matches = all_match(query[:, columns], ranked[:, :, columns])  # (Q, K)
        for k in TOP:
            values[f"{level}_precision_at_{k}"] = precision_at_k(matches, k)
            values[f"{level}_hit_at_{k}"] = hit_at_k(matches, k)
    for column, name in enumerate(truth.attributes):
        matches = all_match(query[:, [column]], ranked[:, :, [column]])
        values[f"attribute_{name}_precision_at_4"] = precision_at_k(matches, 4)
    return values


def known_item_values(own: NDArray[np.int64], ranking: Ranking, name: str) -> dict[str, Values]:
    """Recall at every depth and MRR@10 of the query's own product."""
    recalls = {f"{name}_recall_at_{k}": known_item_recall_at_k(own, ranking.products, k) for k in TOP}
    return recalls | {f"{name}_mrr_at_{DEPTH}": reciprocal_rank_at_k(own, ranking.products, DEPTH)}


def head_values(
    truth: Truth, own: NDArray[np.int64], embeddings: Embeddings, identity: ModelIdentity
) -> dict[str, Values]:
    """Whether each attribute head names the query's known value: `head_<attribute>_accuracy`."""
    values = {}
    for name, probabilities in embeddings.attributes.items():
        if name not in truth.values:
            continue  # a champion may know an attribute that the mapping has dropped since
        known = {value: code for code, value in enumerate(truth.values[name])}
        labels = np.array([known.get(label, -2) for label in identity.attribute_labels[name]])  # (C,)
        wanted = truth.codes[own, truth.attributes.index(name)]  # (Q,)
        right = labels[probabilities.argmax(axis=1)] == wanted
        values[f"head_{name}_accuracy"] = np.where(wanted >= 0, right, np.nan)
    return values


def ranked_codes(codes: Codes, ranking: Ranking) -> Codes:
    """(P, A) codes of the ranked products: (Q, K, A), -1 at places that hold no product."""
    return np.where(ranking.products[:, :, None] >= 0, codes[ranking.products], -1)


def ndcg_values(truth: Truth, own: NDArray[np.int64], ranking: Ranking, gallery: Gallery) -> dict[str, Values]:
    """nDCG@10 with the share of matched attributes as gain; the ideal order leaves the own item out too."""
    query = truth.codes[own]
    gains = np.nan_to_num(share_matched(query, ranked_codes(truth.codes, ranking)))  # NaN rows have NaN ideals
    products = np.unique(gallery.products)
    ideal = ideal_gains(query, truth.codes[products], DEPTH, truth.items[own], truth.items[products])
    return {f"ndcg_at_{DEPTH}": ndcg_at_k(gains, ideal, DEPTH)}
