"""The photos that are searched with: clean, damaged in every way, and other real photos of the products."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.products import Catalogue
from lookalike.damage.profiles import SINGLE_DAMAGES, damage_photo
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth
from lookalike.progress import progress

CATALOGUE = "catalogue"
DAMAGED = "damaged"
OTHER_PHOTOS = "other_photos"
MIX = "reseller"
"""The damage profile of the mix: what resellers do to photos, each with its probability."""


@dataclass(frozen=True)
class PhotoSet:
    """Encoded photos, each with its product's row in the catalogue."""

    contents: Sequence[bytes]
    products: NDArray[np.int64]
    """(N,)"""


@dataclass(frozen=True)
class QuerySet:
    """Photos asked with, under one name."""

    name: str
    """`catalogue`, `damaged` (the mix), `damaged:<damage>` or `other_photos`."""
    photos: PhotoSet
    known_item: bool = True
    """Whether finding the photo's own product is a question: false for the photos that are in the gallery."""

    @property
    def single_damage(self) -> bool:
        return self.name.startswith(f"{DAMAGED}:")


def build_queries(catalogue: Catalogue, truth: Truth, settings: EvaluationSettings) -> list[QuerySet]:
    """Query sets of the evaluated split, drawn by the seed; `other_photos` only where the catalogue has some."""
    rows = np.random.default_rng(settings.seed).permutation(truth.rows(settings.split))
    clean = main_photos(catalogue, np.sort(rows[: settings.catalogue_queries]))
    mixed = main_photos(catalogue, rows[: settings.damaged_queries])
    alone = PhotoSet(mixed.contents[: settings.queries_per_damage], mixed.products[: settings.queries_per_damage])
    sets = [QuerySet(CATALOGUE, clean, known_item=False), damaged_queries(DAMAGED, mixed, MIX, settings.seed)]
    for damage in progress(SINGLE_DAMAGES, "damaging queries"):
        sets.append(damaged_queries(f"{DAMAGED}:{damage}", alone, damage, settings.seed))
    other = _other_photos(catalogue, rows, settings.damaged_queries)
    return sets if other is None else [*sets, QuerySet(OTHER_PHOTOS, other)]


def damaged_photos(catalogue: Catalogue, rows: NDArray[np.int64], settings: EvaluationSettings) -> PhotoSet:
    """Main photos of at most `settings.damaged_queries` of these products, damaged by the mix."""
    drawn = np.random.default_rng(settings.seed).permutation(rows)[: settings.damaged_queries]
    return damaged_queries(DAMAGED, main_photos(catalogue, drawn), MIX, settings.seed).photos


def damaged_queries(name: str, photos: PhotoSet, profile: str, seed: int) -> QuerySet:
    """Damage every photo by a profile, seeded by the product, so that the same photos suffer the same."""
    contents = [
        damage_photo(content, profile, (seed, int(product)))
        for content, product in zip(photos.contents, photos.products, strict=True)
    ]
    return QuerySet(name, PhotoSet(contents, photos.products))


def gallery_photos(catalogue: Catalogue, rows: NDArray[np.int64]) -> PhotoSet:
    """All gallery photos of the products in `rows`."""
    return _photos(catalogue, catalogue.gallery_photos, rows)


def distractor_photos(catalogue: Catalogue, truth: Truth, settings: EvaluationSettings) -> PhotoSet:
    """Main photos of products outside the evaluated split, at most `settings.distractors`, drawn by the seed."""
    outside = np.flatnonzero(truth.splits != settings.split)
    drawn = np.random.default_rng(settings.seed).permutation(outside)[: settings.distractors]
    return main_photos(catalogue, np.sort(drawn))


def main_photos(catalogue: Catalogue, rows: NDArray[np.int64]) -> PhotoSet:
    """The first gallery photo of the products in `rows`."""
    return _photos(catalogue, catalogue.gallery_photos.drop_duplicates("product_id"), rows)


def _other_photos(catalogue: Catalogue, rows: NDArray[np.int64], most: int) -> PhotoSet | None:
    """Real photos that are not in the gallery, for the first `most` products in `rows` that have some."""
    having = np.flatnonzero(catalogue.products["product_id"].isin(catalogue.query_photos["product_id"]))
    chosen = rows[np.isin(rows, having)][:most]
    return _photos(catalogue, catalogue.query_photos.drop_duplicates("product_id"), chosen) if len(chosen) else None


def _photos(catalogue: Catalogue, photos: pd.DataFrame, rows: NDArray[np.int64]) -> PhotoSet:
    """The photos of the products in `rows`, in that order and by position."""
    place = pd.Series(np.arange(len(rows)), index=catalogue.products["product_id"].to_numpy()[rows])
    places = photos["product_id"].map(place)
    order = np.argsort(places.dropna().to_numpy(), kind="stable")
    ids = photos.loc[places.notna(), "photo_id"].to_numpy()[order]
    contents = catalogue.photo_contents(list(ids))
    chosen = rows[places.dropna().to_numpy(dtype=np.int64)[order]]
    return PhotoSet([contents[photo] for photo in ids], chosen)
