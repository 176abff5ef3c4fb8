"""How near queries are to what the model was trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.catalog.products import Catalogue
from lookalike.errors import ArtifactError
from lookalike.release.manifest import TRAINED_VECTORS
from monitoring.detectors import Vectors

BLOCK = 512
"""Queries whose cosines are held at a time."""


@dataclass(frozen=True)
class TrainedPhotos:
    """N photos the model was trained on."""

    photos: pd.DataFrame
    """`photo_id`, `product_id` and `sha256`."""
    vectors: Vectors
    """(N, D), unit length but for their rounding."""

    def __len__(self) -> int:
        return len(self.vectors)

    def still_in(self, catalogue: Catalogue) -> Self:
        """Those that the catalogue still holds, byte for byte, under its own photo ids."""
        now = catalogue.gallery_photos[["photo_id", "product_id", "sha256"]].drop_duplicates(["product_id", "sha256"])
        rows = self.photos.drop(columns="photo_id").reset_index(names="row")
        kept = rows.merge(now, on=["product_id", "sha256"])
        return type(self)(kept[["photo_id", "product_id", "sha256"]], self.vectors[kept["row"].to_numpy()])

    def closest(self, queries: Vectors) -> NDArray[np.float32]:
        """(Q,) cosine of each query and the photo nearest to it."""
        blocks = [queries[start : start + BLOCK] @ self.vectors.T for start in range(0, len(queries), BLOCK)]
        return np.concatenate([block.max(axis=1) for block in blocks])

    def products(self, query: Vectors, most: int) -> list[tuple[int, float]]:
        """Rows and cosines of the nearest photos of different products, nearest first, for one query (D,)."""
        cosines = self.vectors @ query  # (N,)
        order = np.argsort(-cosines, kind="stable")
        first = ~self.photos["product_id"].iloc[order].duplicated().to_numpy()
        return [(int(row), float(cosines[row])) for row in order[first][:most]]


def read_trained_photos(release: Path, dimension: int) -> TrainedPhotos | None:
    """Those kept with a release; None where nobody kept what its model was trained on.

    Raises ArtifactError for a damaged file, or one of vectors that do not have `dimension` numbers.
    """
    path = release / TRAINED_VECTORS
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        vectors = flat.astype(np.float32).reshape(len(table), dimension)
    except (OSError, KeyError, ValueError) as error:
        raise ArtifactError(f"{path} does not hold vectors of {dimension} numbers: {error}") from error
    return TrainedPhotos(table.drop_columns("vector").to_pandas(), vectors) if len(table) else None
