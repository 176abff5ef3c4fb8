"""Query-like photos of products the model never trained on, as the service would have logged them.

Every set holds one photo per product of the test and validation splits, damaged by the evaluation's own mix and then
saved at a stated JPEG quality; sets differ in the draw of the damage or in the quality.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.catalog.images import decode_photo
from lookalike.catalog.photo_quality import photo_header, sharpness
from lookalike.catalog.products import Catalogue, attribute_column
from lookalike.damage.profiles import damage_image, find_profile
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.queries import MIX
from lookalike.evaluation.retrieval import Gallery, rank_products
from lookalike.observation import Observation, observations_table, predicted_attributes, score_margin
from lookalike.progress import progress
from lookalike.storage import atomic_file

BATCH = 128
SENT_AT = 90
"""JPEG quality of ordinary traffic."""


@dataclass(frozen=True)
class PhotoDraw:
    """One set of photos."""

    name: str
    seed: int
    """Draws the damage, together with the product."""
    quality: int = SENT_AT


FIRST, COARSE = PhotoDraw("first", 0), PhotoDraw("coarse", 0, quality=30)
"""Ordinary traffic, and the same photos as a messenger that compresses harder would send it."""


@dataclass(frozen=True)
class Asking:
    """What queries are made of and asked against."""

    catalogue: Catalogue
    embedder: Embedder
    gallery: Gallery
    rows: NDArray[np.int64]
    """(P,) rows of the catalogue's products that are photographed."""


def sent(content: bytes, seed: tuple[int, int], quality: int) -> bytes:
    """A product's photo as a shopper sends it."""
    damaged = damage_image(decode_photo(content), find_profile(MIX), np.random.default_rng(seed))
    encoded = io.BytesIO()
    damaged.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def write_observed(asking: Asking, draw: PhotoDraw, path: Path) -> None:
    """Observe one photo of every product and keep the rows, with what is known of the product beside them."""
    products = asking.catalogue.products.iloc[asking.rows]
    photos = asking.catalogue.gallery_photos.drop_duplicates("product_id").set_index("product_id")["photo_id"]
    ids = photos.loc[products["product_id"]].tolist()
    contents = asking.catalogue.photo_contents(ids)
    table = pa.concat_tables(
        [
            _observed(asking, [sent(contents[ids[i]], (draw.seed, int(asking.rows[i])), draw.quality) for i in part])
            for part in progress(_parts(len(ids)), f"observing the {draw.name} photos")
        ]
    )
    told = {name: pa.array(products[column]) for name, column in _told(products).items()}
    for name, column in told.items():
        table = table.append_column(name, column)
    with atomic_file(path) as aside:
        pq.write_table(table, aside)


def _parts(count: int) -> list[range]:
    return [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]


def _told(products: pd.DataFrame) -> dict[str, str]:
    wanted = {"product_id": "product_id", "vertical": "vertical"}
    wanted |= {name: attribute_column(name) for name in ("type", "season")}
    return {name: column for name, column in wanted.items() if column in products}


def _observed(asking: Asking, contents: list[bytes]) -> pa.Table:
    identity = asking.embedder.identity
    pixels = identity.preprocessing.batch(contents)  # (B, H, W, 3)
    seen = asking.embedder.embed(pixels)
    found = rank_products(seen.vectors, asking.gallery, 2)
    rows = []
    for i, content in enumerate(contents):
        top1, margin = score_margin([float(score) for score in found.scores[i][found.products[i] >= 0]])
        probabilities = {name: values[i] for name, values in seen.attributes.items()}
        values, sure = predicted_attributes(probabilities, identity.attribute_labels)
        header = photo_header(content)
        rows.append(
            Observation(
                seen.vectors[i].tolist(), top1, margin, values, sure, header.width, header.height, len(content),
                header.jpeg_quality, sharpness(pixels[i]),
            )
        )  # fmt: skip
    return observations_table(rows)
