"""The validated catalogue as later stages read it: `products.parquet`, `photos.parquet`, `mapping.json`."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.catalog.mapping import CatalogueMapping
from lookalike.config import load_config
from lookalike.errors import ArtifactError

PRODUCTS = "products.parquet"
PHOTOS = "photos.parquet"
QUARANTINE = "quarantine.parquet"
LOST_PHOTOS = "lost_photos.parquet"
DUPLICATES = "duplicates.parquet"
MAPPING = "mapping.json"

PHOTO_SCHEMA = pa.schema(
    [
        ("photo_id", pa.string()),  # "<product_id>/<position>"
        ("product_id", pa.string()),
        ("position", pa.int32()),  # 0 is the product's main photo; negative: an evaluation query photo
        ("content", pa.binary()),  # the encoded photo, exactly as delivered
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("phash", pa.uint64()),  # perceptual hash, for near-duplicates
    ]
)

PHOTOS_PER_PART = 128
"""Photos in a part (row group) of photos.parquet: as many as are read to show one of them."""

STREAMED = 256
"""Encoded photos held at a time while streaming."""


def attribute_column(name: str) -> str:
    """The column of products.parquet that holds an attribute: text, null where unknown."""
    return f"attribute_{name}"


def feature_column(name: str) -> str:
    """The column of products.parquet that holds a served feature such as the price."""
    return f"feature_{name}"


@dataclass(frozen=True)
class Catalogue:
    """A validated catalogue in memory.

    `products` has one row per product, sorted by `product_id` (text), with `title`, `vertical` and one
    `attribute_<name>` / `feature_<name>` column each. `photos` has the columns of PHOTO_SCHEMA except
    `content`, sorted by (product_id, position); `photo_contents` reads the bytes when they are needed.
    """

    folder: Path
    products: pd.DataFrame
    photos: pd.DataFrame
    mapping: CatalogueMapping

    @property
    def attributes(self) -> list[str]:
        """Attribute names in the mapping's order, then those that titles state."""
        return list(self.mapping.sources)

    @cached_property
    def gallery_photos(self) -> pd.DataFrame:
        """The photos that are indexed: all but the evaluation queries (position >= 0)."""
        return self.photos[self.photos["position"] >= 0]

    @cached_property
    def query_photos(self) -> pd.DataFrame:
        """Other photos of catalogue products, kept for evaluation (position < 0)."""
        return self.photos[self.photos["position"] < 0]

    def attribute_values(self, name: str) -> list[str]:
        """The known values of an attribute, sorted."""
        return sorted(self.products[attribute_column(name)].dropna().unique())

    def attribute_codes(self) -> NDArray[np.int32]:
        """(N, A) codes of the products' attribute values; -1 where unknown, else the index in `attribute_values`."""
        columns = [
            pd.Categorical(self.products[attribute_column(name)], categories=self.attribute_values(name)).codes
            for name in self.attributes
        ]
        return np.stack(columns, axis=1).astype(np.int32)

    def photo_contents(self, photo_ids: list[str] | None = None) -> dict[str, bytes]:
        """Encoded photos by photo id, in the catalogue's order: all of them or the named ones, and only those are held.

        Raises KeyError for a photo that is not there.
        """
        wanted = set(self.photos["photo_id"] if photo_ids is None else photo_ids)
        found = dict(self.stream_contents(wanted))
        if missing := wanted - found.keys():
            raise KeyError(min(missing))
        return found

    def stream_contents(self, photo_ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """(photo id, encoded photo) of the named photos in the catalogue's order, never all in memory at once.

        Parts of the file that say of themselves that they hold none of them are passed over unread.
        """
        with pq.ParquetFile(self.folder / PHOTOS) as file:
            ordered = sorted(photo_ids)
            parts = [part for part in range(file.num_row_groups) if _may_hold(file, part, ordered)]
            for batch in file.iter_batches(STREAMED, row_groups=parts, columns=["photo_id", "content"]):
                rows = zip(batch["photo_id"].to_pylist(), batch["content"], strict=True)
                yield from ((photo, content.as_py()) for photo, content in rows if photo in photo_ids)


def _may_hold(file: pq.ParquetFile, part: int, ordered: Sequence[str]) -> bool:
    """Whether one of the ids, in order, lies between the first and the last id of a part."""
    known = file.metadata.row_group(part).column(PHOTO_SCHEMA.get_field_index("photo_id")).statistics
    if known is None or not known.has_min_max:
        return True
    at = bisect_left(ordered, known.min)
    return at < len(ordered) and ordered[at] <= known.max


def load_catalogue(folder: Path) -> Catalogue:
    """Read the output folder of the validate stage. Raises ArtifactError where a file is missing."""
    for name in (PRODUCTS, PHOTOS, MAPPING):
        if not (folder / name).is_file():
            raise ArtifactError(f"{folder} holds no {name}; run `lookalike validate` first")
    photos = load_photos(folder, [name for name in PHOTO_SCHEMA.names if name != "content"])
    products, mapping = pd.read_parquet(folder / PRODUCTS), load_config(CatalogueMapping, folder / MAPPING)
    return Catalogue(folder, products, photos, mapping)


def load_photos(folder: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of PHOTO_SCHEMA, of every photo that the validate stage kept."""
    with pq.ParquetFile(folder / PHOTOS) as file:  # a million rows in half the time that a data set takes
        return file.read(list(columns)).to_pandas(deduplicate_objects=False)
