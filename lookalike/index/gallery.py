"""The vectors of a catalogue's gallery photos: read in pieces, embedded in batches, kept for the next run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.catalog.group_fields import GROUPS
from lookalike.catalog.products import PHOTOS, Catalogue, attribute_column
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ArtifactError
from lookalike.index.protocol import GalleryBatch
from lookalike.progress import progress

VECTORS = "vectors.npy"
PHOTO_IDS = "photo_ids.parquet"


@dataclass(frozen=True)
class Gallery:
    """N embedded photos; row i of `photos` belongs to vector i."""

    photos: pd.DataFrame
    """photo_id, product_id and sha256 of the photo's bytes, in the catalogue's order."""
    vectors: NDArray[np.float32]
    """(N, D), unit length."""

    def save(self, folder: Path) -> None:
        """Write `vectors.npy` and `photo_ids.parquet`."""
        np.save(folder / VECTORS, self.vectors, allow_pickle=False)
        self.photos.to_parquet(folder / PHOTO_IDS, index=False)


def load_gallery(folder: Path) -> Gallery:
    """Read what `save` wrote. Raises ArtifactError where a file is missing or the two disagree."""
    for name in (VECTORS, PHOTO_IDS):
        if not (folder / name).is_file():
            raise ArtifactError(f"{folder} holds no {name}; run `lookalike index` first")
    gallery = Gallery(pd.read_parquet(folder / PHOTO_IDS), np.load(folder / VECTORS, allow_pickle=False))
    if len(gallery.photos) != len(gallery.vectors):
        raise ArtifactError(f"{folder} holds {len(gallery.vectors)} vectors for {len(gallery.photos)} photos")
    return gallery


def embed_gallery(catalogue: Catalogue, embedder: Embedder, batch: int, known: Gallery | None) -> tuple[Gallery, int]:
    """Embed the photos whose bytes are not in `known` (vectors of the same model); returns how many those were."""
    photos = catalogue.gallery_photos[["photo_id", "product_id", "sha256"]].reset_index(drop=True)
    vectors = np.zeros((len(photos), embedder.identity.dimension), dtype=np.float32)  # (N, D)
    missing = np.ones(len(photos), dtype=bool)
    if known is not None:
        rows = pd.Index(known.photos["sha256"]).drop_duplicates().get_indexer(photos["sha256"])
        first = np.flatnonzero(~known.photos["sha256"].duplicated().to_numpy())
        missing = rows < 0
        vectors[~missing] = known.vectors[first[rows[~missing]]]
    wanted = {photo: row for row, photo in enumerate(photos["photo_id"]) if missing[row]}
    total = -(-len(wanted) // batch)
    for ids, contents in progress(_contents(catalogue, set(wanted), batch), "embedding photos", total=total):
        pixels = embedder.identity.preprocessing.batch(contents)
        vectors[[wanted[photo] for photo in ids]] = embedder.embed(pixels).vectors
    return Gallery(photos, vectors), len(wanted)


def gallery_fields(catalogue: Catalogue) -> tuple[str, ...]:
    """The fields a collection of this catalogue stores: vertical, attributes, and what search folds answers by."""
    return ("vertical", *catalogue.attributes, *GROUPS)


def gallery_batches(catalogue: Catalogue, gallery: Gallery, groups: pd.DataFrame, size: int) -> Iterator[GalleryBatch]:
    """The embedded photos with their products' filterable fields, ready to store; `groups` as `product_groups` names.

    The fields are those of `gallery_fields`.
    """
    products = catalogue.products.set_index("product_id").join(groups)
    columns = {name: attribute_column(name) for name in catalogue.attributes}
    columns = {name: columns.get(name, name) for name in gallery_fields(catalogue)}
    for start in range(0, len(gallery.photos), size):
        photos = gallery.photos.iloc[start : start + size]
        rows = products.loc[photos["product_id"]]
        fields = {field: _texts(rows[column]) for field, column in columns.items()}
        yield GalleryBatch(
            photos["photo_id"].tolist(), photos["product_id"].tolist(), gallery.vectors[start : start + size], fields
        )


def _contents(catalogue: Catalogue, wanted: set[str], batch: int) -> Iterator[tuple[list[str], list[bytes]]]:
    """Photo ids and bytes of the wanted photos, a batch at a time; the file is never held in memory whole."""
    ids: list[str] = []
    contents: list[bytes] = []
    with pq.ParquetFile(catalogue.folder / PHOTOS) as file:
        for piece in file.iter_batches(batch_size=batch, columns=["photo_id", "content"]):
            for photo, content in zip(piece["photo_id"].to_pylist(), piece["content"].to_pylist(), strict=True):
                if photo in wanted:
                    ids.append(photo)
                    contents.append(content)
                if len(ids) == batch:
                    yield ids, contents
                    ids, contents = [], []
    if ids:
        yield ids, contents


def _texts(values: "pd.Series[str]") -> list[str | None]:
    return [None if pd.isna(value) else str(value) for value in values]
