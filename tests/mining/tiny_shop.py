"""A validated and split shop of tiny drawn photos, written by hand in the form the stages leave behind."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.storage import run_stage, write_json

COLOURS = {"red": "#c22", "green": "#2a4", "blue": "#24c"}
SHAPES = ("disc", "box", "bar")

MAPPING = CatalogueMapping(
    id="id",
    image=("image",),
    vertical="family",
    attributes={"shape": "shape", "colour": "colour", "season": "season"},
    alike=AttributeSets(coarse=("shape",), fine=("shape", "colour")),
)


def tiny_products(count: int = 36) -> pd.DataFrame:
    """Products cycling through shape, colour and season; every seventh season is unknown."""
    shapes, colours = [SHAPES[i % 3] for i in range(count)], [list(COLOURS)[i // 3 % 3] for i in range(count)]
    seasons = [None if i % 7 == 0 else ("summer", "winter")[i // 9 % 2] for i in range(count)]
    return pd.DataFrame(
        {
            "product_id": [f"p{i:03d}" for i in range(count)],
            "title": [f"{colour} {shape}" for colour, shape in zip(colours, shapes, strict=True)],
            "vertical": ["round" if shape == "disc" else "angular" for shape in shapes],
            "attribute_shape": shapes,
            "attribute_colour": colours,
            "attribute_season": seasons,
        }
    )


def draw_photo(shape: str, colour: str, shift: int) -> bytes:
    image = Image.new("RGB", (24, 32), "white")
    draw, left, top = ImageDraw.Draw(image), 4 + shift % 3, 8 + shift % 5
    corners = (left, top, left + (6 if shape == "bar" else 14), top + 14)
    (draw.ellipse if shape == "disc" else draw.rectangle)(corners, fill=COLOURS[colour])
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return encoded.getvalue()


def write_shop(
    root: Path, products: pd.DataFrame, duplicates: Sequence[Sequence[str]] = (), test_share: int = 6
) -> None:
    """Write root/validated and root/splits, sealed; every `test_share`-th product goes to the test split."""

    def validated(folder: Path) -> dict[str, Any]:
        products.to_parquet(folder / "products.parquet", index=False)
        _photos(products).to_parquet(folder / "photos.parquet", index=False)
        grouped = [(product, str(group)) for group, members in enumerate(duplicates) for product in members]
        pd.DataFrame(grouped, columns=["product_id", "group_id"], dtype=str).to_parquet(folder / "duplicates.parquet")
        write_json(folder / "mapping.json", MAPPING.model_dump(mode="json"))
        return {}

    def split(folder: Path) -> dict[str, Any]:
        names = ["test" if i % test_share == test_share - 1 else "train" for i in range(len(products))]
        table = products[["product_id"]].assign(group_id=products["product_id"], split=names)
        table.to_parquet(folder / "splits.parquet", index=False)
        return {}

    files = ["products.parquet", "photos.parquet", "duplicates.parquet", "mapping.json"]
    run_stage("validate", root / "validated", inputs={}, settings={}, content=files, work=validated)
    run_stage("split", root / "splits", inputs={}, settings={}, content=["splits.parquet"], work=split)


def write_vectors(folder: Path, products: pd.DataFrame, length: float = 1.0) -> None:
    """Write a sealed folder of drawn product vectors, as the embed stage leaves it."""

    def embedded(folder: Path) -> dict[str, Any]:
        vectors = np.random.default_rng(0).standard_normal((len(products), 6)).astype(np.float32)
        vectors *= length / np.linalg.norm(vectors, axis=1, keepdims=True)
        table = products[["product_id"]].assign(vector=list(vectors))
        table.to_parquet(folder / "vectors.parquet", index=False)
        return {}

    run_stage("embed_products", folder, inputs={}, settings={}, content=["vectors.parquet"], work=embedded)


def _photos(products: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for number, product in enumerate(products.itertuples()):
        for position in range(2):
            content = draw_photo(product.attribute_shape, product.attribute_colour, number + position)
            digest = hashlib.sha256(content).hexdigest()
            rows.append((f"{product.product_id}/{position}", product.product_id, position, content, digest, 24, 32, 0))
    names = ["photo_id", "product_id", "position", "content", "sha256", "width", "height", "phash"]
    return pd.DataFrame(rows, columns=names).astype({"position": "int32", "phash": "uint64"})
