"""A shop whose model can be trained in seconds: real vectors, and a linear map of them learned from real triplets."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.drift.gate_shop import GateShop, Model
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.delivery import looks_of
from lookalike.evaluation.new_products import Looks
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.mining.labels import attribute_weights, label_products
from lookalike.mining.multilevel import mine_by_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets

MARGIN = 0.1
STEPS, BATCH, RATE = 300, 256, 0.05


@dataclass(frozen=True)
class Products:
    """Products that teach or are asked with."""

    rows: NDArray[np.int64]
    """(N,): rows of the catalogue."""
    ids: NDArray[np.object_]
    codes: NDArray[np.int32]
    """(N, A)."""
    verticals: NDArray[np.int32]
    looks: Looks

    @property
    def vectors(self) -> NDArray[np.float32]:
        return self.looks.vectors


@dataclass(frozen=True)
class PoisonShop:
    """The champion, what it is trained on, what the gate measures and what only we measure."""

    gate: GateShop
    unseen: GateShop
    """The validation split: of what is promoted, harm is measured where the gate did not look."""
    champion: Model
    champion_unseen: Model
    teaching: Products
    attributes: tuple[str, ...]

    @classmethod
    def read(cls, validated: Path, splits: Path, embedder: Embedder, products: int, seed: int) -> "PoisonShop":
        """At most `products` of the train split, and half as many of each other split."""
        settings = EvaluationSettings(seed=seed, damaged_queries=500)
        gate = GateShop.read(validated, splits, settings, products // 2)
        unseen = GateShop.read(validated, splits, settings.model_copy(update={"split": "validation"}), products // 2)
        rows = np.sort(np.random.default_rng(seed).permutation(gate.truth.rows("train"))[:products])
        looks = looks_of(embedder, gate.catalogue, rows, settings.batch)
        ids = gate.catalogue.products["product_id"].to_numpy(object)[rows]
        verticals = pd.factorize(gate.truth.verticals)[0].astype(np.int32)[rows]
        teaching = Products(rows, ids, gate.truth.codes[rows], verticals, looks)
        models = (shop.ask(embedder) for shop in (gate, unseen))
        return cls(gate, unseen, *models, teaching, gate.truth.attributes)


def attribute_triplets(products: Products, attributes: tuple[str, ...], settings: MiningSettings) -> Triplets:
    """As the mining stage draws them."""
    weights = attribute_weights(attributes, settings)
    labels = label_products(products.verticals, products.codes, weights, settings)
    return mine_by_levels(labels, np.full(len(products.ids), -1), settings, 1).triplets


def learn_map(vectors: NDArray[np.float32], triplets: Triplets, seed: int) -> NDArray[np.float32]:
    """(D, D) a linear map that starts as none and lowers the triplets' hinge loss, by plain gradient steps.

    It stands in for training: what poisoned triplets teach a network they teach the map.
    """
    rng = np.random.default_rng([seed, 5])
    learned = np.eye(vectors.shape[1], dtype=np.float32)
    for _ in range(STEPS):
        picked = triplets.take(rng.integers(0, len(triplets), BATCH))
        anchor, positive, negative = (vectors[each] for each in (picked.anchor, picked.positive, picked.negative))
        difference = positive - negative  # (B, D)
        scored = np.einsum("bd,bd->b", anchor @ learned, difference @ learned)
        active = scored < MARGIN
        pull = anchor[active].T @ difference[active]  # (D, D)
        learned += RATE * ((pull + pull.T) @ learned) / BATCH
        learned /= np.linalg.norm(learned) / np.sqrt(len(learned))
    return learned


def mapped(shop: GateShop, model: Model, learned: NDArray[np.float32]) -> Model:
    """The model with the learned map behind it."""
    return shop.changed(model, lambda vectors, _: vectors @ learned)


def joined_products(products: Products, more: Products) -> Products:
    """Both."""
    ours, theirs = products.looks, more.looks
    looks = Looks(
        np.concatenate([ours.vectors, theirs.vectors]),
        {name: np.concatenate([values, theirs.probabilities[name]]) for name, values in ours.probabilities.items()},
        {name: np.concatenate([values, theirs.claimed[name]]) for name, values in ours.claimed.items()},
    )
    parts = {
        name: np.concatenate([getattr(products, name), getattr(more, name)])
        for name in ("rows", "ids", "codes", "verticals")
    }
    return replace(products, **parts, looks=looks)
