"""The drawn sample shop: a catalogue with true labels, so that everything runs with no data and no network."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import Field

from lookalike.catalog.drawing.photograph import SHOPPER, STUDIO, STYLED, photograph
from lookalike.catalog.drawing.wares import Design, draw_design, draw_product, title
from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.config import StrictConfig
from lookalike.progress import progress
from lookalike.storage import StageRecord, run_stage

CATALOGUE = "catalogue.parquet"
SHOPPERS = "shoppers.parquet"
MAPPING_YAML = "mapping.yaml"

ATTRIBUTES = ("type", "colour", "pattern", "sleeve", "neckline", "gender", "season")

MISSING_SHARES = {"garments": 0.04, "shoes": 0.10, "bags": 0.20}
"""Share of attribute values (the type excepted) that each vertical's buyers forgot to enter."""


class SampleShop(StrictConfig):
    """What the drawn shop is like."""

    products: int = Field(default=600, ge=4)
    """Products with sound rows; 600 go through the whole pipeline in a few minutes on two cores."""
    photos_per_product: int = Field(default=3, ge=1)
    """Photos of each product: the first on white, the others turned, mirrored and in other light."""
    shopper_photos: float = Field(default=0.3, ge=0, le=1)
    """Share of products that a shopper photographed too; used only as queries."""
    defects: float = Field(default=0.005, ge=0, le=0.05)
    """Share of products, per kind of defect, that are planted broken (at least one of each kind, none at 0)."""
    seed: int = Field(default=0, ge=0)
    """The same seed draws the same bytes."""


@dataclass(frozen=True)
class _Product:
    number: int
    design: Design
    colour: str

    @property
    def product_id(self) -> str:
        return f"LK{self.number:05d}"


def draw_shop(output: Path, shop: SampleShop | None = None) -> StageRecord:
    """Draw a shop: catalogue.parquet, shoppers.parquet (query photos) and their mapping.yaml."""
    shop = shop or SampleShop()
    return run_stage(
        "draw_shop",
        output,
        inputs={},
        settings=shop.model_dump(),
        content=[CATALOGUE, SHOPPERS, MAPPING_YAML],
        work=partial(_work, shop=shop),
    )


def sample_mapping(photos_per_product: int) -> CatalogueMapping:
    """The mapping of a drawn shop. Season follows the cut only loosely and gender shows on some types alone, so
    neither counts for a fine match."""
    return CatalogueMapping(
        id="sku",
        image=tuple(f"image_{position}" for position in range(photos_per_product)),
        title="name",
        vertical="department",
        attributes={name: name for name in ATTRIBUTES},
        features={"price": "price", "stock": "stock"},
        required=("type",),
        alike=AttributeSets(coarse=("type",), fine=("type", "colour", "pattern")),
        files=CATALOGUE,
        query_photos=SHOPPERS,
    )


def _work(folder: Path, shop: SampleShop) -> dict[str, Any]:
    assortment = list(_assortment(shop))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        drawn = pool.map(partial(_row, shop=shop), assortment)
        pairs = list(progress(drawn, "draw products", total=len(assortment)))
    rows, shoppers = [row for row, _ in pairs], [photo for _, photo in pairs if photo is not None]
    planted = _plant_defects(rows, shop)
    _write_rows(folder / CATALOGUE, rows, _schema(shop))
    _write_rows(folder / SHOPPERS, shoppers, pa.schema([("sku", pa.string()), ("image_0", pa.binary())]))
    mapping = sample_mapping(shop.photos_per_product).model_dump(mode="json")
    (folder / MAPPING_YAML).write_text(yaml.safe_dump(mapping, sort_keys=False), encoding="utf-8")
    designs = len({product.design.name for product in assortment})
    return {"rows": len(rows), "designs": designs, "shopper_photos": len(shoppers), "defects": planted}


def _assortment(shop: SampleShop) -> Iterator[_Product]:
    """Products in catalogue order: each design in all its colours."""
    number = 0
    for position in range(shop.products):
        design = draw_design(position, np.random.default_rng([shop.seed, 1, position]))
        for colour in design.colours:
            if number == shop.products:
                return
            yield _Product(number, design, colour)
            number += 1


def _row(product: _Product, shop: SampleShop) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """One catalogue row and, for some products, a shopper's photo of it."""
    rng = np.random.default_rng([shop.seed, 2, product.number])
    row: dict[str, Any] = {"sku": product.product_id, "name": title(product.design, product.colour)}
    row |= {"department": product.design.vertical, **_labels(product, rng)}
    row |= {"price": product.design.price, "stock": int(rng.integers(0, 200))}
    sheet = draw_product(product.design, product.colour, rng).image
    for position in range(shop.photos_per_product):
        row[f"image_{position}"] = photograph(sheet, STUDIO if position == 0 else STYLED, rng)
    if rng.random() >= shop.shopper_photos:
        return row, None
    return row, {"sku": product.product_id, "image_0": photograph(sheet, SHOPPER, rng)}


def _labels(product: _Product, rng: np.random.Generator) -> dict[str, str | None]:
    design = product.design
    labels = {"type": design.type, "colour": product.colour}
    labels |= {name: getattr(design, name) for name in ATTRIBUTES if name not in labels}
    forgotten = rng.random(len(ATTRIBUTES)) < MISSING_SHARES[design.vertical]
    return {
        name: None if gone and name != "type" else value
        for (name, value), gone in zip(labels.items(), forgotten, strict=True)
    }


def _plant_defects(rows: list[dict[str, Any]], shop: SampleShop) -> int:
    """Break some rows as deliveries do: a truncated photo, a type left out, a repeated id, a copied photo."""
    each = max(1, round(shop.defects * shop.products)) if shop.defects else 0
    chosen = np.random.default_rng([shop.seed, 3]).permutation(shop.products)[: 4 * each].reshape(4, each)
    truncated, untyped, repeated, copied = ([rows[index] for index in kind] for kind in chosen)
    for row in truncated:
        row["image_0"] = row["image_0"][: len(row["image_0"]) // 3]
    rows += [{**row, "stock": row["stock"] + 1} for row in repeated]
    rows += [{**row, "sku": f"{row['sku']}-again"} for row in copied]
    for row in untyped:
        row["type"] = None
    return 4 * each


def _schema(shop: SampleShop) -> pa.Schema:
    text = [(name, pa.string()) for name in ("sku", "name", "department", *ATTRIBUTES)]
    photos = [(f"image_{position}", pa.binary()) for position in range(shop.photos_per_product)]
    return pa.schema([*text, ("price", pa.float64()), ("stock", pa.int64()), *photos])


def _write_rows(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
