"""A finished shop as a search sees it: the whole gallery, photos of one split to ask with, and what the answers are."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.colours import colour_histogram
from lookalike.catalog.products import Catalogue, attribute_column, load_catalogue
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.evaluation.metrics import all_match, known_item_recall_at_k, precision_at_k
from lookalike.evaluation.queries import MIX, damaged_queries, gallery_photos
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings, FlatSettings
from lookalike.index.gallery import gallery_fields
from lookalike.index.predicates import Where
from lookalike.index.protocol import Hit
from lookalike.index.rows import matching, texts
from lookalike.observation import predicted_attributes
from lookalike.progress import progress
from lookalike.search.answer import Prediction
from lookalike.search.candidates import CandidateLimits
from lookalike.search.cursor import START
from lookalike.search.page import Query, read_page
from lookalike.search.query import SearchRequest
from lookalike.workspace import Workspace

BATCH = 128
ANSWERS = 16
"""Products read per query: ten, four after the query's own item is taken out, and room for its duplicate listings."""


@dataclass(frozen=True)
class Asked:
    """Q photos to search with."""

    queries: list[Query]
    products: NDArray[np.int64]
    """(Q,) product rows."""
    known: dict[tuple[int, int, Where], list[list[Hit]]] = field(default_factory=dict)
    """What searches found by query, depth and filter: ways to ask differ in few of them."""


@dataclass(frozen=True)
class Answered:
    """How each of the Q queries was answered."""

    found: NDArray[np.float64]
    """(Q,) 1 where the photo's own product is among the first ten."""
    fine: NDArray[np.float64]
    """(Q,) share of the first four products, own item left out, that agree in every fine attribute."""
    colour: NDArray[np.float64]
    """(Q,) the same for the colour alone."""
    scanned: NDArray[np.float64]
    """(Q,) photos compared, over those of the gallery."""


class Shop:
    """A catalogue, what is true of it, and its gallery in an exact faiss collection that is built here."""

    def __init__(self, workspace: Workspace, scratch: Path) -> None:
        self.catalogue: Catalogue = load_catalogue(workspace.validated)
        self.truth: Truth = read_truth(self.catalogue, workspace.splits)
        self.embedder = OnnxEmbedder(workspace.exported, threads=1)
        self.index = FaissIndex(scratch / "faiss", FaissSettings(structure=FlatSettings()))
        settings = IndexSettings(recall_queries=20)
        build_index(workspace.validated, workspace.exported, scratch / "index", self.index, self.embedder, settings)
        (self.collection,) = self.index.collections()
        self.fields = gallery_fields(self.catalogue)
        self.passing = lru_cache(maxsize=None)(self._passing)

    def search(self, vectors: NDArray[np.float32], depth: int, where: Where) -> list[list[Hit]]:
        return self.index.search(self.collection, vectors, depth, where)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Product id to row."""
        return {product: row for row, product in enumerate(self.catalogue.products["product_id"])}

    @cached_property
    def _columns(self) -> dict[str, NDArray[np.object_]]:
        products = self.catalogue.products.set_index("product_id").loc[self.catalogue.gallery_photos["product_id"]]
        columns = {name: products[attribute_column(name)] for name in self.catalogue.attributes}
        return {
            name: texts([None if pd.isna(value) else value for value in column]) for name, column in columns.items()
        }

    def _passing(self, where: Where) -> float:
        count = len(self.catalogue.gallery_photos)
        return float(matching(self._columns, count, where).sum()) / count


def ask(shop: Shop, split: str, most: int, damaged: bool, seed: int) -> Asked:
    """At most `most` main photos of a split, drawn by the seed, as they are or as resellers damage them."""
    rows = np.sort(np.random.default_rng(seed).permutation(shop.truth.rows(split))[:most])
    photos = gallery_photos(shop.catalogue, rows)
    photos = damaged_queries("damaged", photos, MIX, seed).photos if damaged else photos
    queries: list[Query] = []
    for start in progress(range(0, len(photos.contents), BATCH), f"embedding queries of {split}"):
        queries += _queries(shop.embedder, list(photos.contents[start : start + BATCH]))
    return Asked(queries, photos.products)


def _queries(embedder: OnnxEmbedder, contents: list[bytes]) -> list[Query]:
    pixels = embedder.identity.preprocessing.batch(contents)  # (B, H, W, 3)
    embedded = embedder.embed(pixels)
    made = []
    for row in range(len(pixels)):
        probabilities = {name: values[row] for name, values in embedded.attributes.items()}
        values, sure = predicted_attributes(probabilities, embedder.identity.attribute_labels)
        predicted = {name: Prediction(values[name], sure[name]) for name in values}
        made.append(Query(embedded.vectors[[row]], predicted, colours=colour_histogram(pixels[row])))
    return made


def answer(shop: Shop, asked: Asked, shape: Callable[[Query], tuple[Query, SearchRequest]], label: str) -> Answered:
    """Answer every query as `shape` asks for it, through the search's own reading of pages."""
    ranked = np.full((len(asked.queries), ANSWERS), -1, dtype=np.int64)  # (Q, K) product rows
    scanned = np.zeros(len(asked.queries))
    for row, query in enumerate(progress(asked.queries, label)):
        shaped, request = shape(query)
        compared: list[float] = []

        def search(depth: int, where: Where, row: int = row, compared: list[float] = compared) -> list[list[Hit]]:
            compared.append(shop.passing(where))
            if (row, depth, where) not in asked.known:
                asked.known[row, depth, where] = shop.search(asked.queries[row].vectors, depth, where)
            return asked.known[row, depth, where]

        hits = read_page(search, shaped, request, START, CandidateLimits()).hits
        ranked[row, : len(hits)] = [shop.rows[hit.product_id] for hit in hits]
        scanned[row] = sum(compared)
    return judge(shop.truth, asked.products, ranked, scanned)


def judge(truth: Truth, own: NDArray[np.int64], ranked: NDArray[np.int64], scanned: NDArray[np.float64]) -> Answered:
    """What the (Q, K) ranked product rows, -1 where there are fewer, are worth to the (Q,) products asked with."""
    others = np.where((truth.items[ranked] == truth.items[own][:, None]) & (ranked >= 0), -1, ranked)  # (Q, K)
    first = np.stack([np.append(line[line >= 0], [-1] * 4)[:4] for line in others])  # (Q, 4)
    codes = np.where(first[:, :, None] >= 0, truth.codes[first], -1).astype(np.int32)  # (Q, 4, A)
    columns = {"fine": list(truth.fine), "colour": [truth.attributes.index("colour")]}
    agreeing = {
        name: precision_at_k(all_match(truth.codes[own][:, chosen], codes[:, :, chosen]), 4)
        for name, chosen in columns.items()
    }
    return Answered(known_item_recall_at_k(own, ranked, 10), agreeing["fine"], agreeing["colour"], scanned)
