"""A shop whose model can be trained in seconds: real vectors, and a linear map of them learned from real triplets."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.drift.gate_shop import Change, GateShop, Model
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.delivery import looks_of
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.new_products import Looks
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.mining.labels import attribute_weights, label_products
from lookalike.mining.multilevel import mine_by_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets

RIDGE = 0.05
NEGATIVES = 0.5
"""How much negatives count beside positives."""
AXES = 96
"""D: directions of the untrained encoder that training turns and weighs."""
PER_PRODUCT = 2


@dataclass(frozen=True)
class Products:
    """N products that teach."""

    rows: NDArray[np.int64]
    """(N,): rows of the catalogue."""
    ids: NDArray[np.object_]
    codes: NDArray[np.int32]
    """(N, A)."""
    verticals: NDArray[np.int32]
    base: NDArray[np.float32]
    """(N, D): what training starts from."""
    looks: Looks
    """What the model in service says of them."""


@dataclass(frozen=True)
class PoisonShop:
    """What is trained, what the gate measures and what only we measure."""

    gate: GateShop
    unseen: GateShop
    """The validation split: of what is promoted, harm is measured where the gate did not look."""
    base: Model
    """The untrained encoder on the test split, reduced to D values."""
    base_unseen: Model
    teaching: Products
    attributes: tuple[str, ...]
    learned: NDArray[np.float32]
    """(D, D): the champion."""

    @classmethod
    def read(
        cls, validated: Path, splits: Path, trained: Embedder, frozen: Embedder, products: int, seed: int
    ) -> "PoisonShop":
        """At most `products` of the train split, and half as many of each other split."""
        settings = EvaluationSettings(seed=seed, damaged_queries=500)
        gate = GateShop.read(validated, splits, settings, products // 2)
        unseen = GateShop.read(validated, splits, settings.model_copy(update={"split": "validation"}), products // 2)
        rows = np.sort(np.random.default_rng(seed).permutation(gate.truth.rows("train"))[:products])
        features = looks_of(frozen, gate.catalogue, rows, settings.batch).vectors
        reduce = reduced(features)
        teaching = Products(
            rows,
            gate.catalogue.products["product_id"].to_numpy(object)[rows],
            gate.truth.codes[rows],
            pd.factorize(gate.truth.verticals)[0].astype(np.int32)[rows],
            unit(reduce(features, rows)),
            looks_of(trained, gate.catalogue, rows, settings.batch),
        )
        attributes = gate.truth.attributes
        learned = learn_map(teaching.base, attribute_triplets(teaching, attributes, seed + 100))
        base, base_unseen = (shop.changed(shop.ask(frozen), reduce) for shop in (gate, unseen))
        return cls(gate, unseen, base, base_unseen, teaching, attributes, learned)

    @cached_property
    def champion(self) -> Model:
        return mapped(self.gate, self.base, self.learned)

    @cached_property
    def champion_evaluated(self) -> Evaluation:
        return self.gate.evaluate(self.champion)

    @cached_property
    def champion_unseen(self) -> Evaluation:
        """On the validation split."""
        return self.unseen.evaluate(mapped(self.unseen, self.base_unseen, self.learned))

    def vectors(self) -> NDArray[np.float32]:
        """(N, D) of the products that teach, by the champion."""
        return unit(self.teaching.base @ self.learned)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D) scaled to length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def reduced(features: NDArray[np.float32]) -> Change:
    """Onto the AXES strongest directions of (N, F) features."""
    mean = features.mean(axis=0)
    basis = np.linalg.svd(features - mean, full_matrices=False)[2][:AXES]  # (AXES, F)
    return lambda vectors, products: np.asarray((vectors - mean) @ basis.T, np.float32)


def attribute_triplets(products: Products, attributes: tuple[str, ...], seed: int) -> Triplets:
    """As the mining stage draws them, a few for every product."""
    settings = MiningSettings(seed=seed, triplets_per_anchor=PER_PRODUCT)
    weights = attribute_weights(list(attributes), settings)
    labels = label_products(products.verticals, products.codes, weights, settings)
    return mine_by_levels(labels, np.full(len(products.ids), -1), settings, 1).triplets


def learn_map(vectors: NDArray[np.float32], triplets: Triplets) -> NDArray[np.float32]:
    """(D, D) a linear map under which positives are near and negatives far: KISSME (Köstinger et al., CVPR 2012,
    section 3), in closed form from the differences of both.

    It stands in for training: what poisoned triplets teach a network they teach the map.
    """
    near, far = (
        _inverse_covariance(vectors[triplets.anchor] - vectors[others])
        for others in (triplets.positive, triplets.negative)
    )
    values, axes = np.linalg.eigh(near - NEGATIVES * far)
    kept = np.maximum(values, RIDGE * values.max())
    return np.asarray(axes * np.sqrt(kept / kept.max()), np.float32)


def _inverse_covariance(differences: NDArray[np.float32]) -> NDArray[np.float64]:
    """(T, D) to (D, D); directions that hardly vary are kept from being believed in."""
    covariance = np.cov(differences.T, bias=True)
    return np.linalg.inv(covariance + RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance)))


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
    arrays = ("rows", "ids", "codes", "verticals", "base")
    parts = {name: np.concatenate([getattr(products, name), getattr(more, name)]) for name in arrays}
    return replace(products, **parts, looks=looks)
