"""What category fusion is worth: calibrated on validation photos, told once on the test split.

It needs a model that was trained on the catalogue; the gallery is the whole catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Figure
from benchmarks.serving.models import released_models
from benchmarks.serving.plan import COMMAND, Places, Plan
from benchmarks.serving.uploads import prepare_splits
from benchmarks.study import Measured, Skipped
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.evaluation.bootstrap import Estimate, Resamples, draw_resamples, estimate_difference, estimate_mean
from lookalike.evaluation.category import calibrate, fused_verticals, judge_queries, places_of
from lookalike.evaluation.embedding import embed_photos
from lookalike.evaluation.measure import alike_values, known_item_values
from lookalike.evaluation.metrics import Values
from lookalike.evaluation.queries import MIX, PhotoSet, damaged_queries, gallery_photos
from lookalike.evaluation.retrieval import Gallery, Ranking, rank_products
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.fusion import Fusion

BATCH = 128
DEPTH = 50
"""Products that compete for the first places when answers are boosted or narrowed."""
AHEAD = 10.0
"""More than any cosine: what it is added to stands before all others."""
WITNESSES = {"head": "category_head_accuracy", "votes": "category_votes_accuracy", "fused": "category_accuracy"}
TOLD = ("fine_precision_at_4", "coarse_precision_at_4", "known_item_recall_at_10")


def measure(plan: Plan) -> Measured:
    """The figure `fusion_gain`, and what the fused category changes in the answers."""
    if not plan.models and not plan.quick:
        raise Skipped("only a trained model tells categories; --models names the exports of two")
    prepare_splits(plan)
    shop = Shop(plan.places, released_models(plan)[0], plan.study.judged, plan.study.seed)
    fusion = shop.calibrated()
    how = (
        f"{len(shop.gallery.products):,} gallery photos, {len(fusion.verticals)} verticals, model "
        f"{fusion.model_fingerprint[:12]}, test split, own item left out of votes, seed {plan.study.seed}; the head of "
        f"'{fusion.attribute}' weighs {fusion.head_weight:g}, votes exp(-{fusion.sharpness:g} d^2), narrowed from "
        f"{fusion.sure:.3f}, boost {fusion.boost:g}, all calibrated on damaged validation photos; 95 % intervals from "
        "1,000 resamples of groups"
    )
    figures: dict[str, Figure] = {}
    for name, damaged in (("damaged", True), ("catalogue", False)):
        asked = shop.ask("test", damaged)
        figures |= accuracies(shop, fusion, asked, name, how) | effects(shop, fusion, asked, name, how)
    return Measured(figures)


@dataclass(frozen=True)
class Asked:
    """Photos of one split, embedded."""

    embeddings: Embeddings
    products: NDArray[np.int64]
    """(Q,) product rows."""
    resamples: Resamples


class Shop:
    """Catalogue, truth, model, and every gallery photo embedded."""

    def __init__(self, places: Places, exported: Path, most: int, seed: int) -> None:
        self.catalogue = load_catalogue(places.validated)
        self.truth: Truth = read_truth(self.catalogue, places.splits)
        self._embedder = OnnxEmbedder(exported)
        self.identity: ModelIdentity = self._embedder.identity
        self._most, self._seed = most, seed
        everything = gallery_photos(self.catalogue, np.arange(len(self.catalogue.products)))
        vectors = self._embed(everything, "embedding the gallery").vectors
        self.gallery = Gallery(vectors, everything.products, self.truth.items[everything.products])

    def ask(self, split: str, damaged: bool) -> Asked:
        """Photos of at most `most` products of a split, drawn by the seed, clean or damaged as resellers do."""
        rows = np.sort(np.random.default_rng(self._seed).permutation(self.truth.rows(split))[: self._most])
        photos = gallery_photos(self.catalogue, rows)
        photos = damaged_queries("damaged", photos, MIX, self._seed).photos if damaged else photos
        resamples = draw_resamples(self.truth.groups[photos.products], 1_000, 0.95, self._seed)
        return Asked(self._embed(photos, f"embedding {split} queries"), photos.products, resamples)

    def calibrated(self) -> Fusion:
        """The fusion of validation photos over a gallery without the test split, as an evaluation does it."""
        asked = self.ask("validation", damaged=True)
        unseen = self.gallery.keep(self.truth.splits[self.gallery.products] != "test")
        return calibrate(self.identity, self.truth, asked.products, asked.embeddings, unseen)

    def _embed(self, photos: PhotoSet, label: str) -> Embeddings:
        return embed_photos(self._embedder, photos.contents, BATCH, label)


def accuracies(shop: Shop, fusion: Fusion, asked: Asked, name: str, how: str) -> dict[str, Figure]:
    """Accuracy of the head, the votes and both, and the paired gain over the better of the two."""
    judged = judge_queries(fusion, shop.identity, shop.truth, asked.products, asked.embeddings, shop.gallery)
    sentence = f"share of queries whose vertical is told right; {name} photos; {how}"
    figures = {
        f"fusion_{name}_{witness}": _figure(estimate_mean(judged[metric], asked.resamples), "share", sentence)
        for witness, metric in WITNESSES.items()
        if metric in judged
    }
    return figures | _gain(estimate_mean(judged["category_gain"], asked.resamples), name, how)


def _gain(gain: Estimate, name: str, how: str) -> dict[str, Figure]:
    clear = gain.interval is not None and gain.interval[0] > 0
    why = "" if clear else "; the interval holds 0: head and neighbours read one embedding and err together"
    meaning = f"accuracy of the fused vertical minus the better of head and votes, paired; {name} photos; {how}{why}"
    if name != "damaged":
        return {f"fusion_gain_{name}": _figure(gain, "difference", meaning)}
    return {"fusion_gain": _figure(gain, "difference", meaning, "> 0", clear)}


def effects(shop: Shop, fusion: Fusion, asked: Asked, name: str, how: str) -> dict[str, Figure]:
    """What boosting and narrowing change in the answers, against the plain search of the same queries."""
    told = {use: _answers(shop, fusion, asked, use) for use in ("off", "boost", "narrow")}
    return {
        f"category_{use}_{name}_{metric}_change": _figure(
            estimate_difference(told[use][metric], told["off"][metric], asked.resamples),
            "difference",
            f"{metric} with category={use} minus without; {name} photos; {how}",
        )
        for use in ("boost", "narrow")
        for metric in TOLD
    }


def _answers(shop: Shop, fusion: Fusion, asked: Asked, use: str) -> Mapping[str, Values]:
    """Retrieval figures per query, with the first DEPTH products in the order that `use` gives them."""
    truth, vectors, own = shop.truth, asked.embeddings.vectors, asked.products
    fused = fused_verticals(fusion, shop.identity, truth, own, asked.embeddings, shop.gallery)
    alike = _ordered(rank_products(vectors, shop.gallery, DEPTH, left_out=truth.items[own]), fusion, truth, fused, use)
    known = _ordered(rank_products(vectors, shop.gallery, DEPTH), fusion, truth, fused, use)
    return {**alike_values(truth, own, alike), **known_item_values(own, known, "known_item")}


def _ordered(ranking: Ranking, fusion: Fusion, truth: Truth, fused: NDArray[np.float64], use: str) -> Ranking:
    filed = places_of(fusion.verticals, truth)[ranking.products]  # (Q, DEPTH)
    gains = np.zeros(filed.shape)
    if use == "boost":
        gains = fusion.boost * np.take_along_axis(fused, filed, axis=1)
    if use == "narrow":
        sure = fused.max(axis=1) >= fusion.sure
        gains = AHEAD * (sure[:, None] & (filed == fused.argmax(axis=1)[:, None]))
    scores = np.where(ranking.products >= 0, ranking.scores + gains, -np.inf).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")
    return Ranking(np.take_along_axis(ranking.products, order, axis=1), np.take_along_axis(scores, order, axis=1))


def _figure(estimate: Estimate, unit: str, how: str, goal: str = "", met: bool | None = None) -> Figure:
    return Figure(estimate.value, unit, how, COMMAND, goal, met, estimate.interval, estimate.n)
