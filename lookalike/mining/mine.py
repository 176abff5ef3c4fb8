"""The mining stage: training products to `triplets.parquet`, offline and deterministic.

Implements Shopsy's multi-attribute triplet mining (arXiv 2210.04560): relative order across levels of
attribute agreement instead of one class label. Levels and sampling are in this package's other modules.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.products import DUPLICATES, Catalogue, load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.errors import MiningError
from lookalike.mining.multilevel import MinedTriplets, mine_triplets
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets
from lookalike.storage import StageRecord, run_stage, write_json

TRIPLETS = "triplets.parquet"
LEVELS = "levels.json"


def mine(validated: Path, splits: Path, output: Path, settings: MiningSettings | None = None) -> StageRecord:
    """Write `triplets.parquet` and `levels.json` for the products of the train split.

    Columns: anchor, positive, negative (product ids), positive_level, negative_level (int8), margin (float32).
    Raises MiningError when no triplet can be drawn, ArtifactError for missing inputs.
    """
    chosen = settings or MiningSettings()

    def work(folder: Path) -> dict[str, Any]:
        catalogue = load_catalogue(validated)
        products = _training_rows(catalogue, splits)
        mined = mine_triplets(
            pd.factorize(catalogue.products["vertical"])[0].astype(np.int32)[products],
            catalogue.attribute_codes()[products],
            _weights(catalogue.attributes, chosen),
            _duplicate_groups(catalogue, validated)[products],
            chosen,
        )
        ids = catalogue.products["product_id"].to_numpy()[products]
        _as_table(mined.triplets, ids, chosen).to_parquet(folder / TRIPLETS, index=False)
        summary = _summary(mined, len(products))
        write_json(folder / LEVELS, summary)
        return summary

    return run_stage(
        "mine",
        output,
        inputs={"validated": validated, "splits": splits},
        settings=chosen.model_dump(mode="json"),
        content=[TRIPLETS, LEVELS],
        work=work,
    )


def _training_rows(catalogue: Catalogue, splits: Path) -> NDArray[np.int64]:
    table = pd.read_parquet(splits / SPLITS, columns=["product_id", "split"])
    training = table.loc[table["split"] == "train", "product_id"]
    rows = np.flatnonzero(catalogue.products["product_id"].isin(training))
    if len(rows) < 3:
        raise MiningError(f"no triplets can be drawn: the train split has {len(rows)} products, a triplet needs 3")
    return rows


def _weights(attributes: list[str], settings: MiningSettings) -> NDArray[np.float32]:
    unknown = sorted(set(settings.weights) - set(attributes))
    if unknown:
        raise MiningError(f"weights names {unknown}; the catalogue's attributes are {attributes}")
    weights = np.array([settings.weights.get(name, 1.0) for name in attributes], np.float32)
    if (weights < 0).any() or not weights.any():
        raise MiningError(f"weights are {settings.weights}; each must be 0 or more, at least one above 0")
    return weights


def _duplicate_groups(catalogue: Catalogue, validated: Path) -> NDArray[np.int64]:
    table = pd.read_parquet(validated / DUPLICATES, columns=["product_id", "group_id"])
    groups = dict(zip(table["product_id"], pd.factorize(table["group_id"])[0], strict=True))
    return np.array([groups.get(product, -1) for product in catalogue.products["product_id"]], np.int64)


def _as_table(triplets: Triplets, ids: NDArray, settings: MiningSettings) -> pd.DataFrame:
    gap = triplets.positive_level - triplets.negative_level
    return pd.DataFrame(
        {
            "anchor": ids[triplets.anchor],
            "positive": ids[triplets.positive],
            "negative": ids[triplets.negative],
            "positive_level": triplets.positive_level,
            "negative_level": triplets.negative_level,
            "margin": (settings.margin_per_level * gap).astype(np.float32),
        }
    )


def _summary(mined: MinedTriplets, products: int) -> dict[str, Any]:
    pairs = mined.pairs_per_level[:-1]
    return {
        "products": products,
        "anchors": len(np.unique(mined.triplets.anchor)),
        "triplets": len(mined.triplets),
        "pairs_per_level": {str(level): int(count) for level, count in enumerate(pairs)},
        "pairs_undefined": int(mined.pairs_per_level[-1]),
        "mean_level": float(np.arange(len(pairs)) @ pairs / max(pairs.sum(), 1)),
    }
