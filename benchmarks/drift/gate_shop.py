"""The real test split as the gate's measure needs it: its photos once through every model, then only numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.embedders.protocol import Embedder, Embeddings, ModelIdentity
from lookalike.evaluation.measure import Embedded, Evaluation, embed_evaluation, evaluate_embedded
from lookalike.evaluation.queries import CATALOGUE, DAMAGED, PhotoSet, QuerySet, damaged_photos, gallery_photos
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth, read_truth

Change = Callable[[NDArray[np.float32], NDArray[np.int64]], NDArray[np.float32]]
"""From unit vectors (N, D) and their products' rows (N,) to other vectors, which need not be of unit length."""


@dataclass(frozen=True)
class Model:
    """A model reduced to what it answered."""

    identity: ModelIdentity
    embedded: Embedded


@dataclass(frozen=True)
class GateShop:
    """The test split and the photos that are asked with."""

    catalogue: Catalogue
    truth: Truth
    gallery: PhotoSet
    queries: list[QuerySet]
    settings: EvaluationSettings

    @classmethod
    def read(cls, validated: Path, splits: Path, settings: EvaluationSettings, most: int) -> "GateShop":
        """At most `most` products of the test split, all of them queries and gallery."""
        catalogue = load_catalogue(validated)
        truth = read_truth(catalogue, splits)
        rows = np.random.default_rng(settings.seed).permutation(truth.rows(settings.split))[:most]
        gallery = gallery_photos(catalogue, np.sort(rows))
        damaged = damaged_photos(catalogue, rows, settings)
        queries = [QuerySet(CATALOGUE, gallery, known_item=False), QuerySet(DAMAGED, damaged)]
        return cls(catalogue, truth, gallery, queries, settings)

    def ask(self, embedder: Embedder) -> Model:
        """All photos through a model."""
        return Model(embedder.identity, embed_evaluation(embedder, self.queries, self.gallery, self.settings))

    def evaluate(self, model: Model) -> Evaluation:
        """Judge a model's answers."""
        return evaluate_embedded(model.identity, model.embedded, self.truth, self.queries, self.gallery, self.settings)

    def changed(self, model: Model, change: Change) -> Model:
        """The model with other vectors; photos of the gallery keep one vector wherever they are asked with."""
        gallery = self._with(model.embedded.gallery, change, self.gallery)
        damaged = self._with(model.embedded.queries[DAMAGED], change, self.queries[1].photos)
        return replace(model, embedded=Embedded(gallery, {CATALOGUE: gallery, DAMAGED: damaged}))

    def with_heads(self, model: Model, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Model:
        """The model with other attribute probabilities."""
        queries = {
            name: replace(each, attributes={head: change(values) for head, values in each.attributes.items()})
            for name, each in model.embedded.queries.items()
        }
        return replace(model, embedded=replace(model.embedded, queries=queries))

    def in_vertical(self, products: NDArray[np.int64], vertical: str) -> NDArray[np.bool_]:
        """(N,) which products are of a vertical."""
        return np.asarray(self.truth.verticals[products] == vertical)

    def ids(self) -> pd.Index:
        """Product ids of the gallery's photos."""
        return pd.Index(self.catalogue.products["product_id"].to_numpy()[self.gallery.products])

    def _with(self, embeddings: Embeddings, change: Change, photos: PhotoSet) -> Embeddings:
        vectors = change(embeddings.vectors, photos.products)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return replace(embeddings, vectors=unit.astype(np.float32))


@dataclass(frozen=True)
class SwappedColours:
    """A model whose pixels come with red and blue exchanged: the classic mistake of preprocessing."""

    model: Embedder

    @property
    def identity(self) -> ModelIdentity:
        return self.model.identity

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        return self.model.embed(np.ascontiguousarray(pixels[..., ::-1]))


@dataclass(frozen=True)
class Repeated:
    """A model that takes twice the time for the same answer."""

    model: Embedder

    @property
    def identity(self) -> ModelIdentity:
        return self.model.identity

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        self.model.embed(pixels)
        return self.model.embed(pixels)
