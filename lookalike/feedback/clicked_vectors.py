"""Vectors of the products that clicks are about, by the model in service: mining tells slips from likings by them."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.catalog.products import Catalogue
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.embedding import embed_photos
from lookalike.mining.vectors import VECTORS

BATCH = 128
"""Photos embedded at a time."""


def write_clicked_vectors(folder: Path, clicks: pd.DataFrame, catalogue: Catalogue, embedder: Embedder) -> int:
    """Write vectors.parquet as mining reads it, of the main photos of all products in `clicks`; returns how many.

    Products that left the shop since have no photo and are left out, as mining leaves out their clicks.
    """
    named = set(clicks["query"]) | set(clicks["product_id"])
    photos = catalogue.gallery_photos.drop_duplicates("product_id")
    photos = photos[photos["product_id"].isin(named)].sort_values("product_id")
    contents = catalogue.photo_contents(list(photos["photo_id"]))
    vectors: list[list[float]] = []
    if len(photos):
        found = embed_photos(embedder, [contents[photo] for photo in photos["photo_id"]], BATCH, "clicked products")
        vectors = found.vectors.tolist()
    columns = {
        "product_id": pa.array(photos["product_id"], pa.string()),
        "vector": pa.array(vectors, pa.list_(pa.float32())),
    }
    pq.write_table(pa.table(columns), folder / VECTORS)
    return len(photos)
