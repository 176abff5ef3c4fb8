"""The mining stage: training products to `triplets.parquet`, offline and deterministic.

Implements Shopsy's multi-attribute triplet mining (arXiv 2210.04560): relative order across levels of
attribute agreement instead of one class label. Levels and sampling are in this package's other modules.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.products import DUPLICATES, Catalogue, load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.errors import MiningError
from lookalike.mining.clicks import CLICKS, mine_clicks, named_in
from lookalike.mining.hard import harden
from lookalike.mining.labels import Labels, attribute_weights, label_products
from lookalike.mining.multilevel import mine_by_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.single_attribute import mine_by_attribute
from lookalike.mining.table import TRIPLETS, write_triplets
from lookalike.mining.triplets import MinedTriplets, Triplets, join_triplets
from lookalike.mining.vectors import VECTORS, read_some_vectors, read_vectors
from lookalike.storage import StageRecord, digest_file, digest_files, run_stage, write_json

LEVELS = "levels.json"


@dataclass(frozen=True)
class TrainingProducts:
    """The N products of the train split."""

    ids: NDArray[np.object_]
    """(N,)."""
    labels: Labels
    duplicates: NDArray[np.int64]
    """(N,) near-duplicate group, -1 for none."""


def mine(
    validated: Path,
    splits: Path,
    output: Path,
    settings: MiningSettings | None = None,
    vectors: Path | None = None,
    clicks: Path | None = None,
    workers: int | None = None,
) -> StageRecord:
    """Write `triplets.parquet` and `levels.json` for the products of the train split.

    Columns: anchor, positive, negative (product ids), positive_level, negative_level (int8), margin (float32).
    `vectors` is the folder of products embedded by the current model: with it `hard_share` of the negatives are
    hard ones. `clicks` is a click log (`mining.clicks.COLUMNS`), or a folder of collected feedback that holds one
    beside the vectors of its products; its triplets are added. Raises MiningError when no triplet can be drawn,
    ArtifactError for missing inputs. The triplets are the same for any number of `workers`, by default one for every
    core.
    """
    chosen = settings or MiningSettings()

    def work(folder: Path) -> dict[str, Any]:
        products = training_products(validated, splits, chosen)
        known = read_vectors(vectors, products.ids) if vectors else None
        triplets, summary = _draw(products, known, clicks, chosen, workers or os.cpu_count() or 1)
        write_triplets(folder / TRIPLETS, triplets, products.ids, chosen)
        figures = {"products": len(products.ids), "anchors": len(np.unique(triplets.anchor)), "triplets": len(triplets)}
        write_json(folder / LEVELS, figures | summary)
        return figures | summary

    return run_stage(
        "mine",
        output,
        inputs={"validated": validated, "splits": splits} | ({"vectors": vectors} if vectors else {}),
        settings=chosen.model_dump(mode="json") | ({"clicks": _digest(clicks)} if clicks else {}),
        content=[TRIPLETS, LEVELS],
        work=work,
    )


def _draw(
    products: TrainingProducts,
    vectors: NDArray[np.float32] | None,
    clicks: Path | None,
    settings: MiningSettings,
    workers: int,
) -> tuple[Triplets, dict[str, Any]]:
    """The scheme's triplets and those of the click log, ordered by anchor."""
    drawn = [] if settings.scheme == "clicks" else [_by_attributes(products, vectors, settings, workers)]
    if clicks is not None:
        drawn.append(_by_clicks(products, vectors, clicks, settings))
    if not any(len(triplets) for triplets, _ in drawn):
        raise MiningError(f"no triplets can be drawn: the scheme is {settings.scheme}, the click log {clicks}")
    summary = {name: figure for _, figures in drawn for name, figure in figures.items()}
    return join_triplets([triplets for triplets, _ in drawn]), summary


def _by_attributes(
    products: TrainingProducts, vectors: NDArray[np.float32] | None, settings: MiningSettings, workers: int
) -> tuple[Triplets, dict[str, Any]]:
    if settings.scheme == "single_attribute":
        if vectors is not None and settings.hard_share:
            raise MiningError("hard negatives need levels; for the scheme single_attribute set hard_share to 0")
        return mine_by_attribute(products.labels, products.duplicates, settings), {}
    mined = mine_by_levels(products.labels, products.duplicates, settings, workers)
    summary = _levels_summary(mined)
    if vectors is None:
        return mined.triplets, summary
    triplets, hardened = harden(mined.triplets, products.labels, vectors, products.duplicates, settings)
    return triplets, summary | {"hard_negatives": hardened}


def _by_clicks(
    products: TrainingProducts, vectors: NDArray[np.float32] | None, clicks: Path, settings: MiningSettings
) -> tuple[Triplets, dict[str, Any]]:
    """Collected feedback is filtered by the vectors it brings: those of the model that shoppers were answered by."""
    log = clicks
    if clicks.is_dir():
        log = clicks / CLICKS
        vectors = read_some_vectors(clicks, products.ids, named_in(log, products.ids))
    if vectors is None:
        raise MiningError(f"the click log {clicks} is filtered by similarity, which needs the products' vectors")
    return mine_clicks(log, products.ids, vectors, products.duplicates, settings)


def _digest(clicks: Path) -> str:
    """Of what is read: labelled answers in the same folder are for the gate and no reason to mine again."""
    if not clicks.is_dir():
        return digest_file(clicks)
    return digest_files(clicks, [name for name in (CLICKS, VECTORS) if (clicks / name).is_file()])


def training_products(validated: Path, splits: Path, settings: MiningSettings) -> TrainingProducts:
    catalogue = load_catalogue(validated)
    table = pd.read_parquet(splits / SPLITS, columns=["product_id", "split"])
    training = table.loc[table["split"] == "train", "product_id"]
    rows = np.flatnonzero(catalogue.products["product_id"].isin(training))
    if len(rows) < 3:
        raise MiningError(f"no triplets can be drawn: the train split has {len(rows)} products, a triplet needs 3")
    verticals = pd.factorize(catalogue.products["vertical"])[0].astype(np.int32)
    weights = attribute_weights(catalogue.attributes, settings)
    labels = label_products(verticals[rows], catalogue.attribute_codes()[rows], weights, settings)
    ids = catalogue.products["product_id"].to_numpy()[rows]
    return TrainingProducts(ids, labels, _duplicate_groups(catalogue, validated)[rows])


def _duplicate_groups(catalogue: Catalogue, validated: Path) -> NDArray[np.int64]:
    table = pd.read_parquet(validated / DUPLICATES, columns=["product_id", "group_id"])
    groups = dict(zip(table["product_id"], pd.factorize(table["group_id"])[0], strict=True))
    return np.array([groups.get(product, -1) for product in catalogue.products["product_id"]], np.int64)


def _levels_summary(mined: MinedTriplets) -> dict[str, Any]:
    pairs = mined.pairs_per_level[:-1]
    return {
        "pairs_per_level": {str(level): int(count) for level, count in enumerate(pairs)},
        "pairs_undefined": int(mined.pairs_per_level[-1]),
        "pairs_counted": mined.exact,
        "mean_level": float(np.arange(len(pairs)) @ pairs / max(pairs.sum(), 1)),
    }
