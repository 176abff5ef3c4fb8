"""Does a product's other photo still find it, among the whole catalogue, when resellers have been at it?"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.embedding.measure import embed_pixels
from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.damage.profiles import SINGLE_DAMAGES
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.queries import PhotoSet, damaged_queries
from lookalike.evaluation.retrieval import Gallery, rank_products
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.progress import progress
from lookalike.storage import StageRecord, run_stage
from lookalike.training.decoded import cached_gallery

PHOTOS, PRODUCTS, HITS = "photos.npy", "products.npy", "hits.parquet"

UNDAMAGED = "undamaged"
KINDS = (UNDAMAGED, *SINGLE_DAMAGES)
"""One query of every kind per product; damages at their middle severity, 3 of 5."""

VERSION = 1


def decode_queries(validated: Path, splits: Path, output: Path, preprocessing: Preprocessing) -> StageRecord:
    """Write the query photos of test products, undamaged and damaged in every way: (K, Q, H, W, 3) uint8.

    Query photos are the catalogue's other photos of a product, never those in the gallery.
    """

    def work(folder: Path) -> dict[str, Any]:
        catalogue = load_catalogue(validated)
        queries = _query_photos(catalogue, read_truth(catalogue, splits))
        kinds = [
            preprocessing.batch(_damaged(queries, kind).contents) for kind in progress(KINDS, "damage query photos")
        ]
        np.save(folder / PHOTOS, np.stack(kinds))  # (K, Q, H, W, 3)
        np.save(folder / PRODUCTS, queries.products)
        return {"queries": len(queries.products), "kinds": len(KINDS)}

    return run_stage(
        "decode_queries",
        output,
        inputs={"validated": validated, "splits": splits},
        settings={"preprocessing": preprocessing.fingerprint, "kinds": KINDS, "version": VERSION},
        content=[PHOTOS, PRODUCTS],
        work=work,
    )


def robustness(
    validated: Path, splits: Path, queries: Path, pixels: Path, output: Path, embedder: Embedder
) -> StageRecord:
    """Write per query and kind whether its product, or a known duplicate listing of it, is the first of all."""

    def work(folder: Path) -> dict[str, Any]:
        catalogue = load_catalogue(validated)
        truth = read_truth(catalogue, splits)
        photos = cached_gallery(catalogue, embedder.identity.preprocessing, pixels)
        owners = catalogue.products["product_id"].searchsorted(catalogue.gallery_photos["product_id"])  # (P,)
        shown = embed_pixels(embedder, photos, np.arange(len(photos)), "embed catalogue")
        gallery = Gallery(shown.vectors, owners, truth.items[owners])
        own = np.load(queries / PRODUCTS, allow_pickle=False)  # (Q,)
        asked = np.load(queries / PHOTOS, mmap_mode="r", allow_pickle=False)  # (K, Q, H, W, 3)
        hits = {kind: _found(embedder, part, own, gallery, truth) for kind, part in zip(KINDS, asked, strict=True)}
        pd.DataFrame({"product": own, "group": truth.groups[own], **hits}).to_parquet(folder / HITS, index=False)
        return {kind: float(found.mean()) for kind, found in hits.items()}

    return run_stage(
        "robustness",
        output,
        inputs={"validated": validated, "splits": splits, "queries": queries},
        settings={"fingerprint": embedder.identity.fingerprint, "version": VERSION},
        content=[HITS],
        work=work,
    )


def _found(
    embedder: Embedder, photos: NDArray[np.uint8], own: NDArray[np.int64], gallery: Gallery, truth: Truth
) -> NDArray[np.float64]:
    """(Q,): 1 where the best of all products is the query's own item."""
    vectors = embed_pixels(embedder, photos, np.arange(len(photos)), "embed queries").vectors
    first = rank_products(vectors, gallery, 1).products[:, 0]
    return (truth.items[first] == truth.items[own]).astype(np.float64)


def _query_photos(catalogue: Catalogue, truth: Truth) -> PhotoSet:
    photos = catalogue.query_photos.drop_duplicates("product_id")
    rows = catalogue.products["product_id"].searchsorted(photos["product_id"])
    tested = truth.splits[rows] == "test"
    ids = photos["photo_id"][tested].tolist()
    contents = catalogue.photo_contents(ids)
    return PhotoSet([contents[photo] for photo in ids], rows[tested].astype(np.int64))


def _damaged(photos: PhotoSet, kind: str) -> PhotoSet:
    return photos if kind == UNDAMAGED else damaged_queries(kind, photos, kind, seed=0).photos
