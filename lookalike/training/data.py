"""Photos, labels and triplets of a training run, decoded once and held in memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue
from lookalike.errors import TrainingError
from lookalike.mining.mine import TRIPLETS
from lookalike.progress import progress


@dataclass(frozen=True)
class TrainingSet:
    """P photos of N products and their triplets, all as arrays."""

    photos: NDArray[np.uint8]
    """(P, H, W, 3), product by product."""
    first_photo: NDArray[np.int64]
    """(N,) where a product's photos begin."""
    photo_count: NDArray[np.int64]
    """(N,)."""
    labels: NDArray[np.int64]
    """(N, A)."""
    alike: tuple[int, ...]
    """Which of the A attributes all agree for a truly similar product."""
    triplets: NDArray[np.int64]
    """(M, 3) anchor, positive, negative, ordered by anchor."""
    margins: NDArray[np.float32]
    """(M,)."""


def load_training_set(catalogue: Catalogue, triplets: Path, preprocessing: Preprocessing) -> TrainingSet:
    """Decode every catalogue photo of the products that occur in `triplets.parquet`.

    Raises TrainingError for triplets of unknown products.
    """
    table = pd.read_parquet(triplets / TRIPLETS).sort_values("anchor", kind="stable")
    named = np.unique(table[["anchor", "positive", "negative"]].to_numpy())
    rows = pd.Index(catalogue.products["product_id"]).get_indexer(named)
    if len(named) == 0 or (rows < 0).any():
        unknown = named[rows < 0][:3].tolist() if len(named) else "no products at all"
        raise TrainingError(f"{triplets} names products the validated catalogue does not have: {unknown}")
    photos = catalogue.gallery_photos
    photos = photos[photos["product_id"].isin(named)]
    counts = photos.groupby("product_id").size().reindex(named, fill_value=0).to_numpy()
    if (counts == 0).any():
        raise TrainingError(f"product {named[counts == 0][0]} has triplets but no catalogue photo")
    position = pd.Index(named)
    columns = [position.get_indexer(pd.Index(table[name])) for name in ("anchor", "positive", "negative")]
    return TrainingSet(
        photos=_decode(catalogue, photos["photo_id"].tolist(), preprocessing),
        first_photo=np.cumsum(counts) - counts,
        photo_count=counts.astype(np.int64),
        labels=catalogue.attribute_codes()[rows].astype(np.int64),
        alike=tuple(catalogue.attributes.index(name) for name in catalogue.mapping.alike.fine),
        triplets=np.stack(columns, axis=1),
        margins=table["margin"].to_numpy(np.float32),
    )


def _decode(catalogue: Catalogue, photo_ids: list[str], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    contents = catalogue.photo_contents(photo_ids)
    pixels = np.empty((len(photo_ids), preprocessing.height, preprocessing.width, 3), np.uint8)
    for place, photo in enumerate(progress(photo_ids, "decode")):
        pixels[place] = preprocessing.pixels(contents[photo])
    return pixels
