"""Embed the catalogue and observe the study's photos, once."""

import numpy as np
import pandas as pd

from benchmarks.drift.photos import COARSE, FIRST, Asking, write_observed
from benchmarks.drift.places import Places
from benchmarks.drift.traffic import file_name
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.embedding import embed_photos
from lookalike.evaluation.queries import gallery_photos
from lookalike.evaluation.retrieval import Gallery
from lookalike.storage import atomic_file
from lookalike.workspace import Workspace

BATCH = 128


def observe_photos(places: Places, shop: Workspace) -> None:
    """Write every missing set of photos."""
    catalogue, embedder = load_catalogue(shop.validated), OnnxEmbedder(shop.exported, threads=1)
    splits = pd.read_parquet(shop.splits / SPLITS).set_index("product_id")["split"]
    unseen = catalogue.products["product_id"].map(splits).to_numpy() != "train"
    asking = Asking(catalogue, embedder, _gallery(places, catalogue, embedder), np.flatnonzero(unseen))
    for draw in (FIRST, COARSE):
        path = places.observed / file_name(draw)
        if not path.is_file():
            write_observed(asking, draw, path)


def _gallery(places: Places, catalogue: Catalogue, embedder: Embedder) -> Gallery:
    photos = gallery_photos(catalogue, np.arange(len(catalogue.products)))
    if not places.gallery.is_file():
        vectors = embed_photos(embedder, photos.contents, BATCH, "embedding the gallery").vectors
        with atomic_file(places.gallery) as aside, aside.open("wb") as file:
            np.save(file, vectors)
    return Gallery(np.load(places.gallery), photos.products, photos.products)
