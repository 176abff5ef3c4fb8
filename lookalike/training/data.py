"""Photos, labels and triplets of a training run as arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue
from lookalike.errors import TrainingError
from lookalike.mining.table import TRIPLETS
from lookalike.training.decoded import cached_gallery, decode_photos, map_photos


@dataclass(frozen=True)
class TrainingSet:
    """P photos of N products and their triplets, all as arrays."""

    photos: NDArray[np.uint8]
    """(P, H, W, 3), product by product; more than the N products' own where it is a cache many runs share."""
    first_photo: NDArray[np.int64]
    """(N,) where a product's photos begin."""
    photo_count: NDArray[np.int64]
    """(N,)."""
    labels: NDArray[np.int64]
    """(N, A)."""
    attributes: tuple[str, ...]
    """The A attributes' names."""
    alike: tuple[int, ...]
    """Which of the A attributes all agree for a truly similar product."""
    triplets: NDArray[np.int64]
    """(M, 3) anchor, positive, negative, ordered by anchor."""
    margins: NDArray[np.float32]
    """(M,)."""

    def __getstate__(self) -> dict[str, object]:
        """Photos mapped from a file travel to a worker process as its path, not as gigabytes of pixels."""
        photos = Path(str(self.photos.filename)) if isinstance(self.photos, np.memmap) else self.photos
        return self.__dict__ | {"photos": photos}

    def __setstate__(self, state: dict[str, object]) -> None:
        photos = state["photos"]
        self.__dict__.update(state | ({"photos": map_photos(photos)} if isinstance(photos, Path) else {}))


def load_training_set(
    catalogue: Catalogue, triplets: Path, preprocessing: Preprocessing, cache_folder: Path | None = None
) -> TrainingSet:
    """Decode every catalogue photo of the products that occur in `triplets.parquet`.

    With a `cache_folder` all the catalogue's photos are decoded once and mapped from there by every later run.
    Raises TrainingError for triplets of unknown products.
    """
    table = pd.read_parquet(triplets / TRIPLETS).sort_values("anchor", kind="stable")
    named = np.unique(table[["anchor", "positive", "negative"]].to_numpy())
    rows = pd.Index(catalogue.products["product_id"]).get_indexer(named)
    if len(named) == 0 or (rows < 0).any():
        unknown = named[rows < 0][:3].tolist() if len(named) else "no products at all"
        raise TrainingError(f"{triplets} names products the validated catalogue does not have: {unknown}")
    photos = catalogue.gallery_photos
    if cache_folder is None:
        photos = photos[photos["product_id"].isin(named)]
    first_photo, photo_count = _photo_ranges(photos["product_id"], named)
    position = pd.Index(named)
    columns = [position.get_indexer(pd.Index(table[name])) for name in ("anchor", "positive", "negative")]
    return TrainingSet(
        photos=decode_photos(catalogue, photos["photo_id"].tolist(), preprocessing)
        if cache_folder is None
        else cached_gallery(catalogue, preprocessing, cache_folder),
        first_photo=first_photo,
        photo_count=photo_count,
        labels=catalogue.attribute_codes()[rows].astype(np.int64),
        attributes=tuple(catalogue.attributes),
        alike=tuple(catalogue.attributes.index(name) for name in catalogue.mapping.alike.fine),
        triplets=np.stack(columns, axis=1),
        margins=table["margin"].to_numpy(np.float32),
    )


def _photo_ranges(owners: pd.Series, named: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each named product's photos begin among photos sorted by product, and how many there are."""
    first = np.searchsorted(owners, named, side="left")
    counts = np.searchsorted(owners, named, side="right") - first
    if (counts == 0).any():
        raise TrainingError(f"product {named[counts == 0][0]} has triplets but no catalogue photo")
    return first, counts
