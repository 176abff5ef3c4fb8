"""What a collection holds, photo by photo, and what another catalogue would change in it."""

from dataclasses import dataclass

import pandas as pd

from lookalike.catalog.products import Catalogue
from lookalike.index.gallery import GALLERY_COLUMNS, photo_fields
from lookalike.storage import digest_json

COLUMNS = [*GALLERY_COLUMNS, "fields"]
"""`fields` is a digest of the values stored with the photo; its colours follow from its bytes."""
ROWS = 10_000


@dataclass(frozen=True)
class Changes:
    """How a collection becomes another catalogue's."""

    store: pd.DataFrame
    """Photos to store, in COLUMNS."""
    clear: list[str]
    """Products to remove before their photos are stored again: they lose a photo, or nobody knows what they have."""
    added: list[str]
    changed: list[str]
    removed: list[str]

    @property
    def touched(self) -> list[str]:
        """Products that are stored or removed."""
        return sorted({*self.added, *self.changed, *self.removed})


def stored_photos(catalogue: Catalogue, groups: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS of every gallery photo as a collection of this catalogue holds them; `groups` as for gallery_batches."""
    photos = catalogue.gallery_photos[GALLERY_COLUMNS].reset_index(drop=True)
    digests = [
        digest_json(values)[:16]
        for _, fields in photo_fields(catalogue, photos, groups, ROWS)
        for values in zip(*(fields[name] for name in sorted(fields)), strict=True)
    ]
    return photos.assign(fields=pd.Series(digests, dtype=object))


def find_changes(have: pd.DataFrame, want: pd.DataFrame, unsure: set[str]) -> Changes:
    """Compare what is stored with what should be; products in `unsure` were left in an unknown state."""
    sure = have[~have["product_id"].isin(unsure)]
    same = _keys(want).isin(_keys(sure))
    gone = ~sure["photo_id"].isin(want["photo_id"])
    wanted, known = set(want["product_id"]), set(have["product_id"])
    losing = {product for product in sure["product_id"][gone] if product in wanted}
    clear = sorted(losing | (unsure & wanted))
    store = want[~same | want["product_id"].isin(clear)]
    touched = set(store["product_id"])
    return Changes(
        store=store.reset_index(drop=True),
        clear=clear,
        added=sorted(touched - known),
        changed=sorted(touched & known),
        removed=sorted((known | unsure) - wanted),
    )


def _keys(photos: pd.DataFrame) -> "pd.Series[str]":
    """One text per photo that is the same where all of its columns are."""
    return photos[COLUMNS].astype(str).agg("\0".join, axis=1) if len(photos) else pd.Series([], dtype=object)
