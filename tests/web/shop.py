"""The drawn shop over parts in memory: photos as a shop has them, without a model that would have to be trained."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.catalog.colours import colour_histogram, histogram_text
from lookalike.catalog.group_fields import COLOURS, DESIGN, ITEM
from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import PHOTOS
from lookalike.catalog.sample import ATTRIBUTES, CATALOGUE, SHOPPERS, SampleShop, draw_shop
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.features.memory import MemoryFeatures
from lookalike.fusion import Fusion
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.release.manifest import Release

CREATED = datetime(2026, 11, 21, tzinfo=UTC)
SEEN = ("type", "colour", "pattern")
"""Attributes the embedder has heads for; what they say of a photo is always the same, and seldom right."""


VOTES_ALONE: dict[str, Any] = {
    "attribute": None,
    "by_value": {},
    "sharpness": 4.0,
    "head_weight": 0.0,
    "sure": 1.0,
    "boost": 0.0,
}
"""How verticals are told: by the neighbours, and nothing is made of it."""


class DrawnShop:
    """Products LK00000, LK00001, … as drawn, and shoppers' own photos of some of them."""

    def __init__(
        self, folder: Path, products: int = 60, changed: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        """`changed` gives products other attribute values, by product id. The photos lie in `folder`, to be served."""
        draw_shop(folder, SampleShop(products=products, photos_per_product=1, shopper_photos=0.3, defects=0, seed=4))
        self.folder = folder
        self.rows = pq.read_table(folder / CATALOGUE).to_pylist()
        for row in self.rows:
            row.update((changed or {}).get(row["sku"], {}))
        shoppers = pq.read_table(folder / SHOPPERS).to_pylist()
        self.shoppers = {row["sku"]: row["image_0"] for row in shoppers}
        self.photos = {f"{row['sku']}/0": row["image_0"] for row in self.rows}
        labels = {name: sorted({str(row[name]) for row in self.rows if row[name]}) for name in SEEN}
        self.embedder = MemoryEmbedder(Preprocessing(), 64, labels)
        self.features = MemoryFeatures({row["sku"]: {n: row[n] for n in ("price", "stock")} for row in self.rows})
        self.index = MemoryIndex()
        self.release = Release.of(self.embedder.identity.fingerprint, "drawn shop", CREATED)
        self.fusion = Fusion(
            model_fingerprint=self.release.model_fingerprint,
            verticals=tuple(sorted({row["department"] for row in self.rows})),
            **VOTES_ALONE,
        )
        self._index_photos()
        photos = {"photo_id": list(self.photos), "content": list(self.photos.values())}
        pq.write_table(pa.table(photos), folder / PHOTOS)

    def _index_photos(self) -> None:
        pixels = self.embedder.identity.preprocessing.batch(list(self.photos.values()))  # (N, H, W, 3)
        rows = [_stored(row, photo) for row, photo in zip(self.rows, pixels, strict=True)]
        fields = {name: [row[name] for row in rows] for name in rows[0]}
        vectors = self.embedder.embed(pixels).vectors  # (N, D)
        info = CollectionInfo(
            self.release.collection,
            self.release.release_id,
            self.release.model_fingerprint,
            vectors.shape[1],
            tuple(fields),
        )
        self.index.create(info)
        self.index.upsert(
            info.name, GalleryBatch(list(self.photos), [row["sku"] for row in self.rows], vectors, fields)
        )
        self.index.seal(info.name)


def _stored(row: Mapping[str, Any], pixels: NDArray[np.uint8]) -> dict[str, str | None]:
    design = " ".join(str(row["name"]).split()[:3])  # brand and name, without colour and type
    fields = {"vertical": row["department"], **{name: row[name] for name in ATTRIBUTES}}
    return fields | {ITEM: row["sku"], DESIGN: design, COLOURS: histogram_text(colour_histogram(pixels))}
