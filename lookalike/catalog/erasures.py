"""Products that were erased and must not come back. Only digests of their ids are kept: the list names nobody."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from lookalike.catalog.readers import RawCatalogue
from lookalike.config import StrictConfig, load_config
from lookalike.storage import digest_bytes, write_json

ERASED = "erased"
"""Reason in the quarantine."""
DETAIL = "the product was erased on request; its id is withheld"


class Erasures(StrictConfig):
    """`erasures.json` of a workspace."""

    erased: dict[str, str] = {}
    """SHA-256 of a product id to the UTC time it was erased, ISO 8601."""


def id_digest(product_id: str) -> str:
    """How an erased product is known again."""
    return digest_bytes(product_id.encode())


def load_erasures(path: Path) -> Erasures:
    """The list, empty before the first erasure."""
    return load_config(Erasures, path) if path.is_file() else Erasures()


def add_erasures(path: Path, product_ids: Iterable[str], now: datetime) -> None:
    """Add products; those on the list keep their time."""
    added = dict.fromkeys(map(id_digest, product_ids), now.isoformat())
    write_json(path, Erasures(erased={**added, **load_erasures(path).erased}).model_dump())


def withhold_erased(raw: RawCatalogue, erased: Iterable[str]) -> tuple[RawCatalogue, pd.DataFrame]:
    """Take erased products (digests of ids) out before anything looks at them; returns their quarantine lines."""
    listed = set(erased)
    known = {product for product in raw.rows["product_id"].dropna().unique() if id_digest(product) in listed}
    mine = raw.rows["product_id"].isin(known)
    lines = [(row, None, ERASED, DETAIL) for row in raw.rows["row"][mine]]
    photos = [photo for photo in raw.photos if photo.product_id not in known]
    kept = replace(raw, rows=raw.rows[~mine], photos=photos)
    return kept, pd.DataFrame(lines, columns=["row", "product_id", "reason", "detail"])
