"""Finished outputs of the stages before the index: a drawn catalogue and a model without weights."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.catalog.products import DUPLICATES, MAPPING, PHOTO_SCHEMA, PHOTOS, PRODUCTS
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.model_folder import MODEL, ExportedModel
from lookalike.storage import digest_bytes, run_stage, write_json

SHOP = CatalogueMapping(
    id="id",
    image=("image",),
    vertical="vertical",
    attributes={"colour": "colour"},
    alike=AttributeSets(coarse=("colour",), fine=("colour",)),
)


def drawn_photo(number: int) -> bytes:
    """A 32x24 photo of coloured blocks, different for every number."""
    blocks = np.random.default_rng(number).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(blocks.repeat(8, axis=0).repeat(8, axis=1)).save(encoded, "PNG")
    return encoded.getvalue()


def validated_folder(folder: Path, products: Sequence[int], titles: Sequence[str] | None = None) -> Path:
    """A catalogue of these products, each with one gallery photo and one evaluation query photo.

    Without `titles` each is called after its id.
    """

    def write(output: Path) -> dict[str, Any]:
        ids = [f"p{number:03}" for number in products]
        colours = [("red", "blue", None)[number % 3] for number in products]
        table = pd.DataFrame({"product_id": ids, "title": titles or ids, "vertical": "shoe"})
        table["attribute_colour"] = colours
        table.to_parquet(output / PRODUCTS)
        photos = [_photo(f"p{number:03}", number, position) for number in products for position in (-1, 0)]
        pq.write_table(pa.Table.from_pylist(photos, schema=PHOTO_SCHEMA), output / PHOTOS)
        nothing = pd.DataFrame({"product_id": [], "group_id": []}, dtype=object)
        nothing.to_parquet(output / DUPLICATES)
        write_json(output / MAPPING, SHOP.model_dump(mode="json"))
        return {}

    content = [PRODUCTS, PHOTOS, DUPLICATES, MAPPING]
    settings = {"products": list(products), "titles": titles}
    run_stage("validate", folder, inputs={}, settings=settings, content=content, work=write)
    return folder


def _photo(product: str, number: int, position: int) -> dict[str, Any]:
    content = drawn_photo(number if position == 0 else 10_000 + number)
    return {
        "photo_id": f"{product}/{position}",
        "product_id": product,
        "position": position,
        "content": content,
        "sha256": digest_bytes(content),
        "width": 24,
        "height": 32,
        "phash": 0,
    }


def exported_folder(folder: Path, embedder: MemoryEmbedder) -> Path:
    """An export of the embedder's identity."""
    identity = embedder.identity
    name = f"embedder_{identity.fingerprint[:12]}"
    model = ExportedModel.of(identity, name, max_batch_size=8, opset=18, onnx_sha256="", parity={})

    def write(output: Path) -> dict[str, Any]:
        write_json(output / MODEL, model.model_dump(mode="json"))
        return {}

    settings = {"model": identity.fingerprint}
    run_stage("export", folder, inputs={}, settings=settings, content=[MODEL], work=write)
    return folder
