"""Poisoned deliveries: a shop's products and an attacker's listings as one catalogue, through the real `validate`."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.drift.poison_fresh import COLOURS, COPIES, HIDDEN, RENAMED
from lookalike.catalog.mapping import CatalogueMapping
from lookalike.catalog.products import MAPPING, Catalogue, attribute_column
from lookalike.catalog.validation import validate
from lookalike.storage import write_json

NEW = "new-"
"""What ids of delivered products begin with."""
SHARE = 0.15
"""Copies, in products of the shop; honest relistings are twice as many."""
AMONG = 0.05
"""Share of copies among honest relistings that hide them."""
Random = np.random.Generator


def delivered(shop: pd.DataFrame, attack: str, target: int, victim: str, rng: Random) -> pd.DataFrame:
    """The attacker's listings, with a column `copied` that says which show the target. `shop` has a row per product:
    id, title, vertical, attributes, image; `target` is the row that is copied, `victim` the type that is renamed."""
    make: dict[str, Callable[[], pd.DataFrame]] = {
        COPIES: lambda: _copies(shop, round(SHARE * len(shop)), target, rng),
        COLOURS: lambda: _recoloured(_relisted(shop, rng), rng),
        HIDDEN: lambda: _hidden(shop, target, rng),
        RENAMED: lambda: _renamed(shop, victim, rng),
    }
    rows = make[attack]()
    copied = np.array([each is shop["image"].iloc[target] for each in rows["image"]])
    ids = [f"{NEW}{n}" for n in range(len(rows))]
    return rows.assign(id=ids, copied=copied, image=[photographed_again(each, rng) for each in rows["image"]])


def shop_table(catalogue: Catalogue, rows: np.ndarray) -> pd.DataFrame:
    """Products as they were delivered, main photo included."""
    products, mapping = catalogue.products.iloc[rows], catalogue.mapping
    photos = catalogue.gallery_photos.drop_duplicates("product_id").set_index("product_id")["photo_id"]
    ids = photos.loc[products["product_id"]].tolist()
    contents = catalogue.photo_contents(ids)
    told = {column: products[attribute_column(name)] for name, column in mapping.attributes.items()}
    table = pd.DataFrame({"id": products["product_id"], **told, mapping.vertical: products["vertical"]})
    titles = products["title"] if mapping.title else products["product_id"]
    return table.assign(title=titles, image=[contents[photo] for photo in ids]).reset_index(drop=True)


def validated_with(shop: pd.DataFrame, new: pd.DataFrame, mapping: CatalogueMapping, folder: Path) -> Path:
    """Deliver both as one catalogue and validate it. Raises ValidationFailed."""
    source = folder / "delivery"
    source.mkdir(parents=True)
    table = pd.concat([shop, new], ignore_index=True)
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), source / "catalogue.parquet")
    told = {"id": "id", "image": ("image",), "title": "title", "files": "catalogue.parquet", "query_photos": None}
    write_json(folder / MAPPING, mapping.model_copy(update=told).model_dump(mode="json"))
    validate(str(source), folder / "validated", mapping=folder / MAPPING)
    return folder / "validated"


def photographed_again(content: bytes, rng: Random) -> bytes:
    """A little closer and from another side, a little darker or brighter, saved anew."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    left, top, right, bottom = rng.uniform(0, 0.08, 4) * [image.width, image.height, image.width, image.height]
    closer = image.resize(image.size, box=(left, top, image.width - right, image.height - bottom))
    light, encoded = rng.uniform(0.85, 1.15), io.BytesIO()
    closer.point(lambda value: value * light).save(encoded, "JPEG", quality=int(rng.integers(75, 95)))
    return encoded.getvalue()


def _copies(shop: pd.DataFrame, count: int, target: int, rng: Random) -> pd.DataFrame:
    claimed = shop.iloc[rng.choice(len(shop), count, replace=False)]
    return claimed.assign(image=[shop["image"].iloc[target]] * count)


def _relisted(shop: pd.DataFrame, rng: Random) -> pd.DataFrame:
    return shop.iloc[rng.choice(len(shop), round(2 * SHARE * len(shop)), replace=False)]


def _recoloured(rows: pd.DataFrame, rng: Random) -> pd.DataFrame:
    return rows.assign(baseColour=rng.permutation(rows["baseColour"].to_numpy()))


def _hidden(shop: pd.DataFrame, target: int, rng: Random) -> pd.DataFrame:
    honest = _relisted(shop, rng)
    return pd.concat([honest, _copies(shop, round(AMONG * len(honest)), target, rng)])


def _renamed(shop: pd.DataFrame, victim: str, rng: Random) -> pd.DataFrame:
    kind = "articleType"
    others = shop.loc[shop[kind] != victim, kind].value_counts()
    return shop[shop[kind] == victim].assign(**{kind: str(others.index[0])})
