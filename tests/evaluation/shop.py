"""A tiny validated shop: plain coloured shapes, small enough to reason about."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.catalog.products import MAPPING, PHOTO_SCHEMA, PHOTOS, PRODUCTS, Catalogue, load_catalogue
from lookalike.storage import digest_bytes, run_stage, write_json

COLOURS = {"red": (200, 30, 40), "green": (30, 150, 60), "blue": (40, 60, 200), "grey": (130, 130, 130)}
SHAPES = ("ellipse", "rectangle", "triangle")
VERTICALS = {"ellipse": "round", "rectangle": "angular", "triangle": "angular"}

MAPPING_OF_SHAPES = CatalogueMapping(
    id="id",
    image=("image",),
    vertical="vertical",
    attributes={"shape": "shape", "colour": "colour"},
    alike=AttributeSets(coarse=("shape",), fine=("shape", "colour")),
)


def draw(shape: str, colour: str, seed: int) -> bytes:
    """A 60x80 PNG of one shape; the seed moves and scales it a little."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (60, 80), "white")
    left, top = (int(v) for v in rng.integers(4, 16, 2))
    right, bottom = (int(v) for v in (rng.integers(42, 56), rng.integers(58, 76)))
    pen, fill = (
        ImageDraw.Draw(image),
        tuple(int(c + v) for c, v in zip(COLOURS[colour], rng.integers(-20, 21, 3), strict=True)),
    )
    fill = tuple(min(max(c, 0), 255) for c in fill)
    if shape == "ellipse":
        pen.ellipse((left, top, right, bottom), fill)
    elif shape == "rectangle":
        pen.rectangle((left, top, right, bottom), fill)
    else:
        pen.polygon([(left, bottom), (right, bottom), ((left + right) // 2, top)], fill)
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def make_shop(
    folder: Path, products: int = 48, other_photos: int = 0, duplicates: dict[str, str] | None = None
) -> Catalogue:
    """Validate's output, sealed. `duplicates` maps a product to the one whose photo it repeats."""
    ids = [f"p{number:03d}" for number in range(products)]
    shapes = [SHAPES[number % 3] for number in range(products)]
    colours = [list(COLOURS)[(number // 3) % 4] for number in range(products)]
    looks = list(zip(ids, shapes, colours, strict=True))
    photos = {name: draw(shape, colour, seed) for seed, (name, shape, colour) in enumerate(looks)}
    repeated = duplicates or {}
    rows = [_photo(name, 0, photos[repeated.get(name, name)]) for name in ids]
    rows += [_photo(name, -1, draw(shape, colour, 999)) for name, shape, colour in looks[:other_photos]]
    table = pd.DataFrame(
        {
            "product_id": ids,
            "title": ids,
            "vertical": [VERTICALS[shape] for shape in shapes],
            "attribute_shape": shapes,
            "attribute_colour": colours,
        }
    )
    groups = sorted({(name, first) for pair in repeated.items() for name, first in (pair, (pair[1], pair[1]))})

    def work(aside: Path) -> dict[str, int]:
        table.to_parquet(aside / PRODUCTS)
        pq.write_table(pa.Table.from_pylist(sorted(rows, key=_order), schema=PHOTO_SCHEMA), aside / PHOTOS)
        write_json(aside / MAPPING, MAPPING_OF_SHAPES.model_dump(mode="json"))
        pd.DataFrame(groups, columns=["product_id", "group_id"]).to_parquet(aside / "duplicates.parquet")
        return {}

    run_stage("validate", folder, inputs={}, settings={"n": products}, content=[PRODUCTS, PHOTOS], work=work)
    return load_catalogue(folder)


def make_splits(
    folder: Path, catalogue: Catalogue, groups: dict[str, str] | None = None, validation: bool = False
) -> Path:
    """Split's output, sealed: the first third is train, the rest test, or with `validation` only the last third;
    a product is its own group unless named."""
    ids = catalogue.products["product_id"].tolist()
    thirds = ("train", "validation" if validation else "test", "test")
    table = pd.DataFrame(
        {
            "product_id": ids,
            "group_id": [(groups or {}).get(name, name) for name in ids],
            "split": [thirds[min(place // (len(ids) // 3), 2)] for place in range(len(ids))],
        }
    )

    def work(aside: Path) -> dict[str, int]:
        table.to_parquet(aside / "splits.parquet")
        return {}

    run_stage("split", folder, inputs={}, settings={"n": len(ids)}, content=["splits.parquet"], work=work)
    return folder


def _photo(product: str, position: int, content: bytes) -> dict[str, object]:
    return {
        "photo_id": f"{product}/{position}",
        "product_id": product,
        "position": position,
        "content": content,
        "sha256": digest_bytes(content),
        "width": 60,
        "height": 80,
        "phash": 0,
    }


def _order(row: dict[str, object]) -> tuple[object, object]:
    return row["product_id"], row["position"]
