"""Validated catalogues of a few products whose values can be seen."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.catalog.products import MAPPING, PHOTO_SCHEMA, PHOTOS, PRODUCTS
from lookalike.storage import run_stage, write_json

DEFINITIONS = Path(__file__).parents[2] / "feature_repo"
MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 17, 6, tzinfo=UTC)
WEDNESDAY = datetime(2026, 11, 18, 6, tzinfo=UTC)

SHOP = CatalogueMapping(
    id="id",
    image=("image",),
    vertical="vertical",
    attributes={"colour": "colour", "fabric": "fabric"},
    features={"price": "price", "stock": "stock"},
    alike=AttributeSets(coarse=("colour",), fine=("colour",)),
)

BOOT = {"product_id": "boot", "colour": "red", "fabric": None, "price": 80.0, "stock": 3.0}
CLOG = {"product_id": "clog", "colour": "green", "fabric": "wood", "price": 25.5, "stock": None}


def validated_folder(folder: Path, products: Sequence[Mapping[str, Any]], mapping: CatalogueMapping = SHOP) -> Path:
    """A finished validate output with these products and no photos."""

    def write(output: Path) -> dict[str, Any]:
        rows = pd.DataFrame(list(products))
        table = pd.DataFrame({"product_id": rows["product_id"], "title": "A " + rows["product_id"], "vertical": "shoe"})
        for name in mapping.attributes:
            table[f"attribute_{name}"] = rows[name]
        for name in mapping.features:
            table[f"feature_{name}"] = rows[name]
        table.to_parquet(output / PRODUCTS)
        pq.write_table(PHOTO_SCHEMA.empty_table(), output / PHOTOS)
        write_json(output / MAPPING, mapping.model_dump(mode="json"))
        return {}

    content = [PRODUCTS, PHOTOS, MAPPING]
    settings = {"products": [dict(product) for product in products]}
    run_stage("validate", folder, inputs={}, settings=settings, content=content, work=write)
    return folder
