"""The photos a drill asks with: those of products that the model never trained on, damaged as the scenario says."""

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.drill.scenario import Shift
from lookalike.catalog.images import decode_photo
from lookalike.catalog.products import Catalogue, attribute_column
from lookalike.damage.profiles import damage_image, find_profile
from lookalike.errors import CatalogueError, ConfigError
from lookalike.evaluation.queries import MIX

FEWEST = 30
"""Photos below which a drill would ask the same again and again."""
FEWEST_NEW = 10
"""Photos a vertical needs to arrive as a new one."""
SEASON = attribute_column("season")


@dataclass(frozen=True)
class Pool:
    """N photos to ask with."""

    contents: Sequence[bytes]
    verticals: NDArray[np.object_]
    """(N,)"""
    seasons: NDArray[np.object_]
    """(N,) missing where unknown."""
    kept_out: str = ""
    """Vertical that ordinary traffic never asks for; empty where there is none."""

    def __len__(self) -> int:
        return len(self.contents)


def unseen_photos(catalogue: Catalogue, trained: Collection[str]) -> Pool:
    """Photos of products outside `trained`, those that shoppers took included. Raises CatalogueError for too few."""
    photos = catalogue.photos[~catalogue.photos["product_id"].isin(trained)]
    if len(photos) < FEWEST:
        raise CatalogueError(
            f"{len(photos)} photos are of products that the model never trained on; a drill needs {FEWEST}"
        )
    contents = catalogue.photo_contents(list(photos["photo_id"]))
    products = catalogue.products.set_index("product_id").loc[photos["product_id"]]
    seasons = products[SEASON] if SEASON in products else pd.Series(index=products.index, dtype=object)
    return Pool(
        [contents[photo] for photo in photos["photo_id"]],
        products["vertical"].to_numpy(dtype=object),
        seasons.to_numpy(dtype=object),
    )


def smallest_vertical(pool: Pool) -> str:
    """The vertical that can be kept out at the least loss. Raises ConfigError where none can."""
    names, counts = np.unique(pool.verticals.astype(str), return_counts=True)
    able = sorted((int(count), str(name)) for name, count in zip(names, counts, strict=True) if count >= FEWEST_NEW)
    if len(names) < 2 or not able:
        raise ConfigError(
            f"no vertical of {sorted(map(str, names))} can be kept out: one with {FEWEST_NEW} unseen photos is needed, "
            "and another one beside it"
        )
    return able[0][1]


def chances(pool: Pool, shift: Shift) -> NDArray[np.float64]:
    """(N,) how likely each photo is the next one asked with."""
    new = (pool.verticals == pool.kept_out).astype(np.float64)
    usual = 1 - new
    if shift.season != 1.0:
        usual *= np.where(pool.seasons == commonest_season(pool), shift.season, 1.0)
    usual /= usual.sum()
    return usual if not shift.newcomers else (1 - shift.newcomers) * usual + shift.newcomers * new / new.sum()


def commonest_season(pool: Pool) -> str:
    """Raises ConfigError where the catalogue tells fewer than two seasons apart."""
    known = pool.seasons[pd.notna(pool.seasons) & (pool.verticals != pool.kept_out)]
    names, counts = np.unique(known.astype(str), return_counts=True)
    if len(names) < 2:
        raise ConfigError(f"the catalogue's attribute 'season' has the values {list(names)}; a new mix needs two")
    return str(names[np.argmax(counts)])


def draw_photos(pool: Pool, shift: Shift, count: int, seed: Sequence[int]) -> list[bytes]:
    """`count` photos as shoppers send them, drawn with replacement and each damaged anew."""
    drawn = np.random.default_rng([*seed, 0]).choice(len(pool), count, p=chances(pool, shift))
    return [sent(pool.contents[row], shift, [*seed, 1, number]) for number, row in enumerate(drawn)]


def sent(content: bytes, shift: Shift, seed: Sequence[int]) -> bytes:
    """One photo after the evaluation's own mix of damages, then the shift's. An ordinary shift is that mix alone."""
    rng = np.random.default_rng(seed)
    image = damage_image(decode_photo(content), find_profile(MIX), rng)
    image = damage_image(image, find_profile(shift.damage), rng)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=shift.quality)
    return encoded.getvalue()
