"""A catalogue of any size whose rows are those of a validated one, and its features in Redis."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

import feature_repo
from lookalike.catalog.products import MAPPING, PHOTO_SCHEMA, PHOTOS, PRODUCTS, load_catalogue
from lookalike.features.materialise import materialise
from lookalike.features.settings import FeatureSettings
from lookalike.storage import StageRecord, run_stage, write_json

RELEASE = "f" * 64


def grown_catalogue(validated: Path, folder: Path, products: int) -> Path:
    """So many products: those there are, and then the same ones again under other ids."""
    catalogue = load_catalogue(validated)

    def write(output: Path) -> dict[str, Any]:
        rounds = -(-products // len(catalogue.products))
        copies = [
            catalogue.products.assign(product_id=catalogue.products["product_id"] + (f"-{turn}" if turn else ""))
            for turn in range(rounds)
        ]
        pd.concat(copies, ignore_index=True).head(products).to_parquet(output / PRODUCTS)
        pq.write_table(PHOTO_SCHEMA.empty_table(), output / PHOTOS)
        write_json(output / MAPPING, catalogue.mapping.model_dump(mode="json"))
        return {}

    content = [PRODUCTS, PHOTOS, MAPPING]
    run_stage("validate", folder, inputs={}, settings={"products": products}, content=content, work=write)
    return folder


def filled(root: Path, validated: Path, connection: str) -> StageRecord:
    """The features of a catalogue in Redis, from an empty feature store."""
    settings = FeatureSettings(online_store="redis", connection=connection)
    definitions = Path(feature_repo.__file__).parent
    return materialise(validated, root / "features", root / "store", RELEASE, datetime.now(UTC), definitions, settings)
