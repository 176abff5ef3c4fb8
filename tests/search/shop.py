"""A tiny shop in memory: drawn photos, the exact index and the embedder without a model."""

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.catalog.colours import colour_histogram, histogram_text
from lookalike.catalog.group_fields import COLOURS, DESIGN, HIDDEN, ITEM
from lookalike.catalog.images import Preprocessing
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.features.memory import MemoryFeatures
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.release.manifest import Release

DYES = ("red", "green", "blue")
VERTICALS = ("shoes", "bags")


def photo(seed: int, side: int = 24) -> bytes:
    """A PNG of random blocks; one seed, one photo."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = Image.fromarray(blocks).resize((side, side), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@dataclass
class Shop:
    """Products p000, p001, … with two or three photos each, in two verticals and three colours."""

    products: int = 30
    seed: int = 0
    catalogue: str = "catalogue-a"
    index: MemoryIndex = field(default_factory=MemoryIndex)

    def __post_init__(self) -> None:
        self.embedder = MemoryEmbedder(
            Preprocessing(height=24, width=24), 16, {"colour": list(DYES), "size": ["small", "large"]}, self.seed
        )
        moment = datetime(2026, 11, 21, tzinfo=UTC)
        self.release = Release.of(self.embedder.identity.fingerprint, self.catalogue, moment)
        self.photos = {
            f"p{product:03d}/{position}": photo(1000 * product + position)
            for product in range(self.products)
            for position in range(2 + product % 2)
        }
        self.prices = {f"p{n:03d}": {"price": 10.0 + n} for n in range(0, self.products, 2)}  # every other product
        self.features = MemoryFeatures(self.prices)
        self._index_photos()

    def fields_of(self, product: str) -> dict[str, str | None]:
        number = int(product[1:])
        return {"vertical": VERTICALS[number % 2], "colour": DYES[number % 3], "size": None}

    def groups_of(self, product: str) -> dict[str, str]:
        """p000 and p001 are one item, p000 to p005 one design, and so on."""
        number = int(product[1:])
        return {ITEM: f"item {number // 2}", DESIGN: f"design {number // 6}"}

    def _index_photos(self) -> None:
        ids = list(self.photos)
        products = [photo_id.split("/")[0] for photo_id in ids]
        pixels = self.embedder.identity.preprocessing.batch([self.photos[photo_id] for photo_id in ids])
        self.vectors = self.embedder.embed(pixels).vectors
        self.histograms = np.stack([colour_histogram(one) for one in pixels])  # (N, BINS)
        colours = [{COLOURS: histogram_text(histogram)} for histogram in self.histograms]
        rows = [self.fields_of(p) | self.groups_of(p) | seen for p, seen in zip(products, colours, strict=True)]
        fields = {name: [row[name] for row in rows] for name in rows[0]}
        info = CollectionInfo(
            self.release.collection, self.release.release_id, self.release.model_fingerprint, 16, tuple(fields)
        )
        self.index.create(info)
        self.index.upsert(info.name, GalleryBatch(ids, products, self.vectors, fields))
        self.index.seal(info.name)


def unknown(count: int) -> dict[str, list[str | None]]:
    """Fields of photos about which nothing is known."""
    return {name: [None] * count for name in ("vertical", "colour", "size", *HIDDEN)}


def unit_query() -> NDArray[np.float32]:
    """(1, 2) a query vector where none is looked at."""
    return np.array([[1, 0]], dtype=np.float32)
