"""A changed delivery: the released catalogue again, without most of its products or with a flood of copies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from app.drill.scenario import Delivery
from lookalike.catalog.mapping import CatalogueMapping
from lookalike.catalog.products import Catalogue, attribute_column, feature_column

TABLE, MAPPING = "catalogue.parquet", "mapping.yaml"
PURGED = 0.7
"""Share of the products that a purge takes away."""
FLOOD = 0.2
"""Copies that a flood adds, as a share of the products."""
FEWEST_COPIES = 60
COPIES = 12
"""Listings of each product that a flood copies."""

Row = dict[str, Any]


def write_delivery(catalogue: Catalogue, kind: Delivery, folder: Path, seed: int) -> Path:
    """A delivery that `validate` reads: one table with the photos' bytes inside, and its mapping. Returns `folder`."""
    rows, rng = list(_rows(catalogue)), np.random.default_rng(seed)
    changed = _purged(rows, rng) if kind == "purged" else [*rows, *_flood(catalogue, rows, rng)]
    mapping = _mapping(catalogue)
    folder.mkdir(parents=True)
    schema = pa.schema([(name, _type(mapping, name)) for name in mapping.columns()])
    pq.write_table(pa.Table.from_pylist(changed, schema=schema), folder / TABLE)
    (folder / MAPPING).write_text(yaml.safe_dump(mapping.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
    return folder


def _purged(rows: list[Row], rng: np.random.Generator) -> list[Row]:
    kept = rng.permutation(len(rows))[: max(2, round((1 - PURGED) * len(rows)))]
    return [rows[place] for place in sorted(kept)]


def _flood(catalogue: Catalogue, rows: list[Row], rng: np.random.Generator) -> list[Row]:
    """Copies of a few products' photos, each listed many times with another value of the coarsest attribute."""
    column = attribute_column(catalogue.mapping.alike.coarse[0])
    values = sorted({row[column] for row in rows if row[column] is not None})
    count = max(FEWEST_COPIES, round(FLOOD * len(rows)))
    sources = rng.permutation(len(rows))[: -(-count // COPIES)]
    flood = []
    for number in range(count):
        source = rows[sources[number % len(sources)]]
        false = [value for value in values if value != source[column]] or values
        flood.append({**source, "product_id": f"drill-{number:05d}", column: str(rng.choice(false))})
    return flood


def _rows(catalogue: Catalogue) -> Iterator[Row]:
    """Every product with its values and the bytes of its gallery photos."""
    photos = catalogue.gallery_photos
    contents = catalogue.photo_contents(list(photos["photo_id"]))
    of_product = photos.groupby("product_id")["photo_id"].apply(list).to_dict()
    for product in catalogue.products.to_dict("records"):
        named = {str(name): None if pd.isna(value) else value for name, value in product.items()}
        shown = {_image(place): contents[photo] for place, photo in enumerate(of_product[named["product_id"]])}
        yield {**named, **shown}


def _mapping(catalogue: Catalogue) -> CatalogueMapping:
    """The released catalogue's meaning, over the columns that validation gave it."""
    most = int(catalogue.gallery_photos["product_id"].value_counts().max())
    return CatalogueMapping(
        id="product_id",
        image=tuple(_image(place) for place in range(most)),
        title="title",
        vertical="vertical",
        attributes={name: attribute_column(name) for name in catalogue.attributes},
        features={name: feature_column(name) for name in catalogue.mapping.features},
        required=catalogue.mapping.required,
        alike=catalogue.mapping.alike,
        files=TABLE,
    )


def _type(mapping: CatalogueMapping, column: str) -> pa.DataType:
    if column in mapping.image:
        return pa.binary()
    return pa.float64() if column in mapping.features.values() else pa.string()


def _image(place: int) -> str:
    return f"image_{place}"
