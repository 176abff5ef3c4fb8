"""The vectors and colours of a catalogue's gallery photos: kept for the next run, and cut into batches to store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.group_fields import COLOURS, GROUPS, HIDDEN
from lookalike.catalog.products import Catalogue, attribute_column
from lookalike.errors import ArtifactError
from lookalike.index.protocol import GalleryBatch

VECTORS = "vectors.npy"
PHOTO_IDS = "photo_ids.parquet"
GALLERY_COLUMNS = ["photo_id", "product_id", "sha256"]
"""What the catalogue says of a gallery photo; `sha256` is that of its bytes."""


@dataclass(frozen=True)
class Gallery:
    """N embedded photos; row i of `photos` belongs to vector i."""

    photos: pd.DataFrame
    """GALLERY_COLUMNS in the catalogue's order, and COLOURS where they are known."""
    vectors: NDArray[np.float32]
    """(N, D), unit length."""

    def save(self, folder: Path) -> None:
        """Write `vectors.npy` and `photo_ids.parquet`."""
        np.save(folder / VECTORS, self.vectors, allow_pickle=False)
        self.photos.to_parquet(folder / PHOTO_IDS, index=False)


def load_gallery(folder: Path) -> Gallery:
    """Read what `save` wrote; its vectors are mapped, not read.

    Raises ArtifactError where a file is missing or the two disagree.
    """
    for name in (VECTORS, PHOTO_IDS):
        if not (folder / name).is_file():
            raise ArtifactError(f"{folder} holds no {name}; run `lookalike index` first")
    gallery = Gallery(pd.read_parquet(folder / PHOTO_IDS), np.load(folder / VECTORS, "r", allow_pickle=False))
    if len(gallery.photos) != len(gallery.vectors):
        raise ArtifactError(f"{folder} holds {len(gallery.vectors)} vectors for {len(gallery.photos)} photos")
    return gallery


def gallery_fields(catalogue: Catalogue) -> tuple[str, ...]:
    """The fields a collection of this catalogue stores: vertical, attributes, and what searches fold and rank by."""
    return ("vertical", *catalogue.attributes, *HIDDEN)


def gallery_batches(catalogue: Catalogue, gallery: Gallery, groups: pd.DataFrame, size: int) -> Iterator[GalleryBatch]:
    """The embedded photos with all of `gallery_fields`, ready to store; `groups` as `product_groups` names them."""
    start = 0
    for photos, fields in photo_fields(catalogue, gallery.photos, groups, size):
        vectors = gallery.vectors[start : start + size]  # (B, D)
        fields[COLOURS] = photos[COLOURS].tolist()
        yield GalleryBatch(photos["photo_id"].tolist(), photos["product_id"].tolist(), vectors, fields)
        start += size


def photo_fields(
    catalogue: Catalogue, photos: pd.DataFrame, groups: pd.DataFrame, size: int
) -> Iterator[tuple[pd.DataFrame, dict[str, list[str | None]]]]:
    """The photos, `size` at a time, with the fields they have from their products."""
    products = catalogue.products.set_index("product_id").join(groups)
    attributes = {name: attribute_column(name) for name in catalogue.attributes}
    columns = {"vertical": "vertical", **attributes, **{name: name for name in GROUPS}}
    for start in range(0, len(photos), size):
        part = photos.iloc[start : start + size]
        rows = products.loc[part["product_id"]]
        yield part, {field: _texts(rows[column]) for field, column in columns.items()}


def _texts(values: "pd.Series[str]") -> list[str | None]:
    return [str(value) if known else None for value, known in zip(values, values.notna(), strict=True)]
