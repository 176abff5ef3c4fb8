"""The user's own vectors, wherever they lie, with what is known about the products they show."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.catalog.products import load_catalogue
from lookalike.errors import ArtifactError
from lookalike.evaluation.metrics import Codes
from lookalike.index.checks import check_vectors
from lookalike.index.gallery import PHOTO_IDS, load_gallery
from lookalike.mining.vectors import VECTORS as PRODUCT_VECTORS
from lookalike.mining.vectors import read_vectors


@dataclass(frozen=True)
class Source:
    """N embedded photos."""

    vectors: NDArray[np.float32]
    """(N, D), unit length."""
    products: NDArray[np.object_]
    """(N,) the product each photo shows."""
    codes: Codes | None
    """(N, A) of the attributes in which products must agree to be alike, -1 where unknown; None without a catalogue."""

    @property
    def photos_per_product(self) -> float:
        return len(self.vectors) / len(pd.unique(self.products))


def read_source(path: Path, validated: Path | None = None) -> Source:
    """Vectors of the index stage's folder, of the embed stage's folder, or of a .npy file whose rows are products.

    `validated` is the catalogue that knows the products. Raises ArtifactError for anything else, and VectorIndexError
    for vectors that are not finite or not of unit length.
    """
    vectors, products = _read(path)
    if vectors.ndim != 2 or len(vectors) < 2:
        raise ArtifactError(f"{path} holds an array of shape {vectors.shape}; (N, D) with two rows or more is accepted")
    check_vectors(vectors, vectors.shape[1], f"vectors of {path}")
    return Source(vectors, products, _fine_codes(validated, products) if validated else None)


def _read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
    if path.suffix == ".npy" and path.is_file():
        vectors = _load(path)
        return vectors, np.arange(len(vectors)).astype(str).astype(object)
    if (path / PHOTO_IDS).is_file():
        gallery = load_gallery(path)
        return gallery.vectors, gallery.photos["product_id"].to_numpy(dtype=object)
    if (path / PRODUCT_VECTORS).is_file():
        ids = pq.read_table(path / PRODUCT_VECTORS, columns=["product_id"])["product_id"].to_pandas()
        products = ids.to_numpy(dtype=object)
        return read_vectors(path, products), products
    raise ArtifactError(
        f"{path} holds no vectors; the folder that `lookalike index` or `lookalike embed` wrote is accepted, "
        "or a .npy file of (N, D) numbers"
    )


def _load(path: Path) -> NDArray[np.float32]:
    try:
        return np.load(path, allow_pickle=False).astype(np.float32)
    except ValueError as error:
        raise ArtifactError(f"{path} is not an array of numbers: {error}") from error


def _fine_codes(validated: Path, products: NDArray[np.object_]) -> Codes:
    """(N, A), all -1 for a product that the catalogue does not have."""
    catalogue = load_catalogue(validated)
    columns = [catalogue.attributes.index(name) for name in catalogue.mapping.alike.fine]
    codes = catalogue.attribute_codes()[:, columns]
    rows = pd.Index(catalogue.products["product_id"]).get_indexer(pd.Index(products))
    return np.where(rows[:, None] < 0, -1, codes[rows]).astype(np.int32)
