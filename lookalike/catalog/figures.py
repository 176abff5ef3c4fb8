"""The figures of a validated delivery: what it holds, lacks, and changed since the one before."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.near_duplicates import contrast
from lookalike.catalog.products import Catalogue, attribute_column
from lookalike.catalog.quarantine import Verdict


def delivery_figures(
    rows: pd.DataFrame, verdict: Verdict, duplicates: pd.DataFrame, attributes: list[str], plain: float
) -> dict[str, Any]:
    """Counts and null rates; `plain` is the contrast below which a photo shows nothing."""
    products, photos = verdict.products, verdict.photos
    groups = duplicates["group_id"].value_counts()
    columns = [attribute_column(name) for name in attributes]
    verticals = products["vertical"].value_counts()
    return {
        "rows": len(rows),
        "products": len(products),
        "photos": int((photos["position"] >= 0).sum()),
        "query_photos": int((photos["position"] < 0).sum()),
        "quarantined": len(verdict.quarantine),
        "quarantined_by_reason": verdict.quarantine["reason"].value_counts().sort_index().to_dict(),
        "lost_photos": len(verdict.lost_photos),
        "plain_photos": int((contrast(verdict.thumbnails) < plain).sum()) if len(photos) else 0,
        "near_duplicate_groups": len(groups),
        "near_duplicate_products": len(duplicates),
        "largest_near_duplicate_group": int(groups.max()) if len(groups) else 0,
        "verticals": verticals.sort_index().to_dict(),
        "single_product_verticals": int((verticals == 1).sum()),
        "products_without_attributes": int(products[columns].isna().all(axis=1).sum()),
        "null_rates": {name: _rate(rows[attribute_column(name)]) for name in attributes},
        "null_rates_by_vertical": _rates_by_vertical(rows, attributes),
    }


def _rate(values: pd.Series) -> float:
    return round(float(values.isna().mean()), 6)


def _rates_by_vertical(rows: pd.DataFrame, attributes: list[str]) -> dict[str, dict[str, float]]:
    return {
        str(vertical): {name: _rate(group[attribute_column(name)]) for name in attributes}
        for vertical, group in rows.groupby("vertical")
    }


def changes(verdict: Verdict, previous: Catalogue | None, learned: dict[str, list[str]]) -> dict[str, Any]:
    """Ids gone, ids under which an earlier product's main photo reappears, and attribute values never seen before."""
    if previous is None:
        return {"previous_products": 0, "vanished_ids": 0, "renamed_ids": 0, "products_with_unseen_values": 0}
    ids = set(verdict.products["product_id"])
    gone = set(previous.products["product_id"]) - ids
    main = verdict.photos[verdict.photos["position"] == 0]
    arrived = set(main["sha256"][~main["product_id"].isin(set(previous.products["product_id"]))])
    before = previous.photos[(previous.photos["position"] == 0) & previous.photos["product_id"].isin(gone)]
    return {
        "previous_products": len(previous.products),
        "vanished_ids": len(gone),
        "renamed_ids": int(before["sha256"].isin(arrived).sum()),
        "products_with_unseen_values": int(unseen_values(verdict.products, learned).sum()),
    }


def learned_values(attributes: list[str], previous: Catalogue | None) -> dict[str, list[str]]:
    """Per attribute, the values that the earlier catalogue knew; empty before the first."""
    shared = [name for name in attributes if previous is not None and name in previous.attributes]
    return {name: previous.attribute_values(name) for name in shared} if previous else {}


def unseen_values(products: pd.DataFrame, learned: dict[str, list[str]]) -> NDArray[np.bool_]:
    """(N,) whether each product has an attribute value outside the learned ones."""
    unseen = np.zeros(len(products), dtype=bool)
    for name, known in learned.items():
        values = products[attribute_column(name)]
        unseen |= (values.notna() & ~values.isin(known)).to_numpy()
    return unseen
