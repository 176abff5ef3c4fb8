"""Which delivered rows become products, and why the others do not; products + quarantined = rows read."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.examination import BadPhoto, GoodPhoto
from lookalike.catalog.products import PHOTO_SCHEMA, attribute_column
from lookalike.storage import digest_json

LONGEST_ID = 128
"""Characters a product id may have; ids become index keys and parts of URLs."""

Photo = TypeVar("Photo", GoodPhoto, BadPhoto)
Defect = tuple[str, str]
"""A reason and its detail."""


@dataclass(frozen=True)
class Verdict:
    """What became of every row and photo."""

    products: pd.DataFrame
    """The rows kept, without `row`, sorted by product_id."""
    quarantine: pd.DataFrame
    """row, product_id, reason, detail: one line per row that was not kept, in row order."""
    photos: pd.DataFrame
    """Columns of PHOTO_SCHEMA, sorted by (product_id, position); positions 0, 1, … without gaps."""
    thumbnails: NDArray[np.uint8]
    """(N, 768), one per line of `photos`."""
    lost_photos: pd.DataFrame
    """product_id, position, reason, detail: photos of kept products that cannot be used."""


def judge(
    rows: pd.DataFrame,
    good: Sequence[GoodPhoto],
    bad: Sequence[BadPhoto],
    required: Sequence[str],
    allowed: Mapping[str, Sequence[str]],
) -> Verdict:
    """Sort delivered rows into products and quarantine.

    A row is judged by its first defect: id, vertical, required attributes, allowed values, photos. Of several
    sound rows with one id, the one whose values and photos have the smallest SHA-256 stays, so the outcome
    does not depend on the order of rows.
    """
    shown = {photo.raw.row for photo in good}
    worst = {photo.raw.row: photo for photo in reversed(bad)}  # of several, the first one delivered
    defects: dict[int, Defect] = {}
    for record in rows.to_dict("records"):
        defect = _row_defect(record, required, allowed) or _photo_defect(record["row"], shown, worst)
        if defect:
            defects[record["row"]] = defect
    defects |= _repeated(rows[~rows["row"].isin(defects.keys())], good)
    kept = rows[~rows["row"].isin(defects.keys())].sort_values("product_id")
    photos, thumbnails = _photo_table(kept, good)
    products = kept.drop(columns="row").reset_index(drop=True)
    return Verdict(products, _quarantine(rows, defects), photos, thumbnails, _lost(kept, bad))


def _row_defect(
    record: Mapping[Hashable, Any], required: Sequence[str], allowed: Mapping[str, Sequence[str]]
) -> Defect | None:
    product_id = record["product_id"]
    if product_id is None:
        return "missing_id", "the row has no product id"
    if len(product_id) > LONGEST_ID or not product_id.isprintable():
        return "invalid_id", f"an id has at most {LONGEST_ID} printable characters"
    if record["vertical"] is None:
        return "missing_vertical", "the row has no vertical"
    for name in required:
        if record[attribute_column(name)] is None:
            return "missing_required_attribute", f"the required attribute '{name}' is unknown"
    for name, values in allowed.items():
        value = record[attribute_column(name)]
        if value is not None and value not in values:
            return "value_not_allowed", f"{name} is '{value}'; accepted: {', '.join(values)}"
    return None


def _photo_defect(row: int, shown: set[int], worst: Mapping[int, BadPhoto]) -> Defect | None:
    if row in shown:
        return None
    if row in worst:
        return worst[row].reason, worst[row].detail
    return "no_photo", "the row names no photo"


def _repeated(sound: pd.DataFrame, good: Sequence[GoodPhoto]) -> dict[int, Defect]:
    digests = defaultdict(list)
    for photo in good:
        digests[photo.raw.row].append(photo.sha256)
    found: dict[int, Defect] = {}
    again = sound[sound["product_id"].duplicated(keep=False)]
    for product_id, group in again.groupby("product_id"):
        values = group.drop(columns="row").to_dict("records")
        ranked = sorted(
            (digest_json([record, digests[row]]), row) for row, record in zip(group["row"], values, strict=True)
        )
        detail = f"product id '{product_id}' stands in {len(group)} rows; row {ranked[0][1]} stays"
        found |= {row: ("duplicate_id", detail) for _, row in ranked[1:]}
    return found


def _quarantine(rows: pd.DataFrame, defects: Mapping[int, Defect]) -> pd.DataFrame:
    ids = dict(zip(rows["row"], rows["product_id"], strict=True))
    lines = [(row, ids[row], *defects[row]) for row in sorted(defects)]
    return pd.DataFrame(lines, columns=["row", "product_id", "reason", "detail"])


def _photo_table(kept: pd.DataFrame, good: Sequence[GoodPhoto]) -> tuple[pd.DataFrame, NDArray[np.uint8]]:
    mine = sorted(_of_kept(kept, good), key=lambda p: (p.raw.product_id or "", p.raw.position < 0, abs(p.raw.position)))
    seen: dict[tuple[str | None, bool], int] = defaultdict(int)
    lines = []
    for photo in mine:
        owner, query = photo.raw.product_id, photo.raw.position < 0
        position = -1 - seen[owner, query] if query else seen[owner, query]
        seen[owner, query] += 1
        measured = (photo.content, photo.sha256, photo.width, photo.height, photo.phash)
        lines.append((f"{owner}/{position}", owner, position, *measured))
    table = pd.DataFrame(lines, columns=PHOTO_SCHEMA.names).astype({"phash": np.uint64, "position": np.int32})
    order = table.sort_values(["product_id", "position"]).index
    thumbnails = np.array([photo.thumbnail for photo in mine], dtype=np.uint8).reshape(len(mine), -1)  # (N, 768)
    return table.loc[order].reset_index(drop=True), thumbnails[order]


def _of_kept(kept: pd.DataFrame, photos: Sequence[Photo]) -> list[Photo]:
    rows, ids = set(kept["row"]), set(kept["product_id"])
    return [p for p in photos if p.raw.row in rows or (p.raw.position < 0 and p.raw.product_id in ids)]


def _lost(kept: pd.DataFrame, bad: Sequence[BadPhoto]) -> pd.DataFrame:
    lines = [(p.raw.product_id, p.raw.position, p.reason, p.detail) for p in _of_kept(kept, bad)]
    table = pd.DataFrame(lines, columns=["product_id", "position", "reason", "detail"])
    return table.sort_values(["product_id", "position"], ignore_index=True)
