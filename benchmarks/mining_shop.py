"""A grown catalogue for timing: a million products with long tails everywhere and much unknown.

Verticals are as large as Zipf's law with exponent 1 makes them. Every vertical has between half and all of the
attributes, each known in 35 to 95 % of its products, with 4 to 400 values of its own that follow Zipf's law too.
Four products on average are of one design; a product keeps each of its design's values with probability 0.8 and
draws a new one otherwise. Vectors are the sum of a direction per value, per design and per vertical, and noise.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator
from numpy.typing import NDArray

from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.catalog.products import DUPLICATES, MAPPING, PHOTO_SCHEMA, PHOTOS, PRODUCTS, attribute_column
from lookalike.catalog.splits import SPLITS
from lookalike.mining.vectors import VECTORS
from lookalike.storage import run_stage, write_json

VERTICALS = 200
ATTRIBUTES = 8
DIMENSION = 128
NAMES = [f"attribute{number}" for number in range(ATTRIBUTES)]
ROWS = 100_000
"""Rows turned into text at a time."""


def grow(folder: Path, products: int, seed: int) -> None:
    """Write folder/validated, folder/splits (all products train) and folder/vectors as the stages would."""
    rng = np.random.default_rng(seed)
    verticals, designs, codes = grow_products(products, rng)
    ids = np.char.add("p", np.char.zfill(np.arange(products).astype(str), 8)).astype(object)
    sealed: dict[str, Any] = {"inputs": {}, "settings": {"products": products, "seed": seed}}
    files = [PRODUCTS, PHOTOS, DUPLICATES, MAPPING]
    run_stage(
        "grow", folder / "validated", content=files, work=lambda to: _validated(to, ids, verticals, codes), **sealed
    )
    run_stage("grow_splits", folder / "splits", content=[SPLITS], work=lambda to: _splits(to, ids), **sealed)
    directions = (verticals, designs, codes)
    run_stage(
        "grow_vectors",
        folder / "vectors",
        content=[VECTORS],
        work=lambda to: _vectors(to, ids, *directions, rng),
        **sealed,
    )


def grow_products(products: int, rng: Generator) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Verticals (N,), designs (N,) and attribute codes (N, A), -1 where unknown."""
    sizes = 1 / np.arange(1, VERTICALS + 1)
    verticals = np.sort(rng.choice(VERTICALS, products, p=sizes / sizes.sum()))
    designs = np.sort(rng.integers(0, max(products // 4, 1), products))
    codes = np.full((products, ATTRIBUTES), -1)
    for vertical in np.unique(verticals):
        rows = np.flatnonzero(verticals == vertical)
        for attribute in rng.permutation(ATTRIBUTES)[: rng.integers(ATTRIBUTES // 2, ATTRIBUTES + 1)]:
            values = rng.permutation(400)[: int(4 * 100 ** rng.random())]
            codes[rows, attribute] = _grow_values(values, designs[rows], rng)
    return verticals, designs, codes


def _grow_values(values: NDArray[np.int64], designs: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
    """(n,) values of one vertical's products in one attribute."""
    often = 1 / np.arange(1, len(values) + 1)
    drawn = rng.choice(values, len(designs), p=often / often.sum())
    _, first, design = np.unique(designs, return_index=True, return_inverse=True)
    kept = np.where(rng.random(len(designs)) < 0.8, drawn[first][design], drawn)
    return np.where(rng.random(len(designs)) < rng.uniform(0.35, 0.95), kept, -1)


def _validated(folder: Path, ids: NDArray, verticals: NDArray, codes: NDArray) -> dict[str, Any]:
    columns = {"product_id": pa.string(), "title": pa.string(), "vertical": pa.string()}
    schema = pa.schema([*columns.items(), *((attribute_column(name), pa.string()) for name in NAMES)])
    names = pa.array([f"value{code}" for code in range(codes.max() + 1)])
    families = pa.array([f"vertical{number}" for number in range(VERTICALS)])
    with pq.ParquetWriter(folder / PRODUCTS, schema) as file:
        for rows in _slices(len(ids)):
            texts = [names.take(pa.array(column, mask=column < 0)) for column in codes[rows].T]
            part = [pa.array(ids[rows]), pa.array(ids[rows]), families.take(pa.array(verticals[rows])), *texts]
            file.write_table(pa.Table.from_arrays(part, schema=schema))
    pq.write_table(PHOTO_SCHEMA.empty_table(), folder / PHOTOS)
    copies = len(ids) // 50  # every fiftieth product is listed twice
    doubled = pd.DataFrame({"product_id": ids[: 2 * copies], "group_id": np.repeat(np.arange(copies), 2).astype(str)})
    doubled.to_parquet(folder / DUPLICATES, index=False)
    alike = AttributeSets(coarse=(NAMES[0],), fine=tuple(NAMES))
    mapping = CatalogueMapping(
        id="id", image=("image",), vertical="vertical", attributes={n: n for n in NAMES}, alike=alike
    )
    write_json(folder / MAPPING, mapping.model_dump(mode="json"))
    return {}


def _splits(folder: Path, ids: NDArray) -> dict[str, Any]:
    pd.DataFrame({"product_id": ids, "group_id": ids, "split": "train"}).to_parquet(folder / SPLITS, index=False)
    return {}


def _vectors(
    folder: Path, ids: NDArray, verticals: NDArray, designs: NDArray, codes: NDArray, rng: Generator
) -> dict[str, Any]:
    of_vertical = rng.standard_normal((VERTICALS, DIMENSION), np.float32)
    of_design = 0.7 * rng.standard_normal((designs.max() + 1, DIMENSION), np.float32)
    of_value = 0.5 * rng.standard_normal((ATTRIBUTES, codes.max() + 2, DIMENSION), np.float32)  # unknown is last
    schema = pa.schema([("product_id", pa.string()), ("vector", pa.list_(pa.float32()))])
    with pq.ParquetWriter(folder / VECTORS, schema) as file:
        for rows in _slices(len(ids)):
            vectors = of_vertical[verticals[rows]] + of_design[designs[rows]]
            vectors += sum(of_value[attribute, codes[rows, attribute]] for attribute in range(ATTRIBUTES))
            vectors += 0.5 * rng.standard_normal(vectors.shape, np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            starts = pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * DIMENSION)
            lists = pa.ListArray.from_arrays(starts, pa.array(vectors.ravel()))
            file.write_table(pa.Table.from_arrays([pa.array(ids[rows]), lists], schema=schema))
    return {}


def _slices(count: int) -> Iterator[slice]:
    return (slice(first, min(first + ROWS, count)) for first in range(0, count, ROWS))
