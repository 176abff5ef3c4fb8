"""Two releases whose every photo tells to which it belongs; the same products, other vectors, another model."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lookalike.catalog.group_fields import GROUPS
from lookalike.catalog.images import Preprocessing
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.index.choose import open_index
from lookalike.index.protocol import CollectionInfo, GalleryBatch, VectorIndex
from lookalike.release.manifest import Release, save_release, switch_live
from lookalike.release.promote import ALIAS

DIMENSION = 32
FIELDS = ("vertical", *GROUPS)


@dataclass(frozen=True)
class SwapShop:
    """Releases under one folder, their collections at one address."""

    releases: Path
    uri: str
    made: tuple[Release, Release]

    @property
    def embedders(self) -> dict[str, MemoryEmbedder]:
        """By fingerprint."""
        return {one.identity.fingerprint: one for one in map(_embedder, range(2))}


def make_shop(root: Path, uri: str, photos: int) -> SwapShop:
    """Build both releases; the second is live, the first the way back."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    made = (_release(0), _release(1))
    shop = SwapShop(root / "releases", uri, made)
    with open_index(uri) as index:
        for seed, release in enumerate(made):
            _store(index, release, photos, seed)
            save_release(shop.releases, release)
            index.point_alias(ALIAS, release.collection)
            switch_live(shop.releases, release)
    return shop


def belongs(photo_id: str, release: Release) -> bool:
    """Whether a photo is of this release."""
    return photo_id.startswith(f"{release.collection}/")


def queries(count: int) -> np.ndarray:
    """(count, D) unit vectors."""
    vectors = np.random.default_rng(5).standard_normal((count, DIMENSION)).astype(np.float32)
    normalised: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normalised


def _embedder(seed: int) -> MemoryEmbedder:
    return MemoryEmbedder(Preprocessing(height=32, width=24), DIMENSION, seed=seed)


def _release(seed: int) -> Release:
    fingerprint = _embedder(seed).identity.fingerprint
    return Release.of(fingerprint, f"catalogue {seed}", datetime(2026, 1, seed + 1, tzinfo=UTC))


def _store(index: VectorIndex, release: Release, photos: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((photos, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    products = [f"p{number:05}" for number in range(photos)]
    name = release.collection
    index.create(CollectionInfo(name, release.release_id, release.model_fingerprint, DIMENSION, FIELDS))
    fields = {field: [name if field == "vertical" else product for product in products] for field in FIELDS}
    index.upsert(name, GalleryBatch([f"{name}/{product}" for product in products], products, vectors, fields))
    index.seal(name)
