"""What a release knows of one product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lookalike.catalog.group_fields import HIDDEN
from lookalike.errors import NotFound
from lookalike.features.protocol import FeatureValue
from lookalike.index.checks import LONGEST_TEXT
from lookalike.index.protocol import StoredPhoto
from lookalike.release.manifest import Release
from lookalike.search.answer import PhotoUrl


@dataclass(frozen=True)
class ProductPhoto:
    """One of its photos that is searched."""

    photo_id: str
    photo_url: str | None = None
    """Where it can be seen; None where the service was not told of photos."""

    def as_json(self) -> dict[str, str | None]:
        return {"photo_id": self.photo_id, "photo_url": self.photo_url}


@dataclass(frozen=True)
class ProductAnswer:
    """A product as the live release has it."""

    release_id: str
    model_fingerprint: str
    product_id: str
    fields: Mapping[str, str | None]
    """The filterable fields, as the index stores them."""
    photos: tuple[ProductPhoto, ...]
    """By photo id."""
    features: Mapping[str, FeatureValue] | None
    """Served features (price, stock); None when they were late or unknown."""
    update: int
    """Number of the latest update that this answer has certainly seen."""
    timings_ms: Mapping[str, float]

    def with_photo_urls(self, url_of: PhotoUrl) -> "ProductAnswer":
        """The same answer; every photo says where it can be seen."""
        photos = (ProductPhoto(photo.photo_id, url_of(photo.photo_id, self.product_id)) for photo in self.photos)
        return replace(self, photos=tuple(photos))

    def as_json(self) -> dict[str, Any]:
        served = {"features_absent": True} if self.features is None else {"features": dict(self.features)}
        return {
            "release_id": self.release_id,
            "model_fingerprint": self.model_fingerprint,
            "product_id": self.product_id,
            "fields": dict(self.fields),
            "photos": [photo.as_json() for photo in self.photos],
            **served,
            "update": self.update,
            "timings_ms": {stage: round(spent, 3) for stage, spent in self.timings_ms.items()},
        }


def known_photos(stored: Sequence[StoredPhoto], product_id: str) -> Sequence[StoredPhoto]:
    """A product's photos. Raises NotFound where there are none."""
    if not stored:
        raise NotFound(f"product {product_id[:LONGEST_TEXT]!r} is not in the catalogue that is searched")
    return stored


def product_answer(
    release: Release,
    product_id: str,
    photos: Sequence[StoredPhoto],
    features: Mapping[str, FeatureValue] | None,
    update: int,
    timings_ms: Mapping[str, float],
) -> ProductAnswer:
    """Join what the index and the features know; all photos of a product, of which there is one, share its fields."""
    return ProductAnswer(
        release_id=release.release_id,
        model_fingerprint=release.model_fingerprint,
        product_id=product_id,
        fields={name: value for name, value in photos[0].fields.items() if name not in HIDDEN},
        photos=tuple(ProductPhoto(photo.photo_id) for photo in photos),
        features=features,
        update=update,
        timings_ms=timings_ms,
    )
