"""A shop small enough to drill in a test: coloured blocks for photos, an embedder without a model, one release."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from app.drill.drilled import Drilled
from lookalike.catalog.mapping import AttributeSets, CatalogueMapping
from lookalike.catalog.photo_quality import photo_header
from lookalike.catalog.products import (
    DUPLICATES,
    MAPPING,
    PHOTO_SCHEMA,
    PHOTOS,
    PRODUCTS,
    Catalogue,
    load_catalogue,
)
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.model_folder import MODEL, ExportedModel
from lookalike.observation import Observation, observations_table, predicted_attributes
from lookalike.release.manifest import Release, live_release, save_release, switch_live
from lookalike.storage import digest_bytes, read_seal, run_stage, write_json
from lookalike.workspace import Workspace

BORN = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPES = {"boot": "shoes", "sandal": "shoes", "shirt": "garments", "tote": "bags"}
SHOP = CatalogueMapping(
    id="id",
    image=("image",),
    title="title",
    vertical="vertical",
    attributes={"type": "type", "season": "season"},
    required=("type",),
    alike=AttributeSets(coarse=("type",), fine=("type", "season")),
)
PRODUCTS_DRAWN, TRAINED = 60, 20
"""The first are those trained on; the others may ask."""


def photo(number: int) -> bytes:
    """An 48x64 JPEG of coloured blocks; products of one type share half of them."""
    shared = np.random.default_rng(1_000 + number % 4).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    own = np.random.default_rng(number).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    blocks = np.concatenate([shared, own]).repeat(8, axis=0).repeat(8, axis=1)
    encoded = io.BytesIO()
    Image.fromarray(blocks).save(encoded, "JPEG", quality=95)
    return encoded.getvalue()


def validated_folder(folder: Path) -> Path:
    """Sixty products of four types: two seasons, every third one of winter."""

    def write(output: Path) -> dict[str, Any]:
        numbers = range(PRODUCTS_DRAWN)
        types = [list(TYPES)[number % 4] for number in numbers]
        table = {
            "product_id": [f"p{number:03}" for number in numbers],
            "title": [f"a {kind}" for kind in types],
            "vertical": [TYPES[kind] for kind in types],
            "attribute_type": types,
            "attribute_season": ["winter" if number % 3 == 0 else "summer" for number in numbers],
        }
        pd.DataFrame(table).to_parquet(output / PRODUCTS)
        photos = [_photo_row(number) for number in numbers]
        pq.write_table(pa.Table.from_pylist(photos, schema=PHOTO_SCHEMA), output / PHOTOS)
        pd.DataFrame({"product_id": [], "group_id": []}, dtype=object).to_parquet(output / DUPLICATES)
        write_json(output / MAPPING, SHOP.model_dump(mode="json"))
        return {}

    content = [PRODUCTS, PHOTOS, DUPLICATES, MAPPING]
    run_stage("validate", folder, inputs={}, settings={}, content=content, work=write)
    return folder


def drilled_shop(root: Path) -> Drilled:
    """A workspace with one live release; what a drill would find in it."""
    shop = Workspace(root)
    catalogue = load_catalogue(validated_folder(shop.validated))
    embedder = MemoryEmbedder(attribute_labels={"type": sorted(TYPES)})
    release = Release.of(embedder.identity.fingerprint, read_seal(shop.validated).content, BORN)
    folder = save_release(shop.releases, release)
    model = ExportedModel.of(embedder.identity, release.model, max_batch_size=8, opset=18, onnx_sha256="", parity={})
    write_json(folder / MODEL, model.model_dump(mode="json"))
    catalogue.gallery_photos[["photo_id", "product_id", "sha256"]].to_parquet(folder / "stored.parquet")
    asked = catalogue.products["product_id"].iloc[TRAINED:]
    pq.write_table(
        observations_table([_observed(catalogue, embedder, one) for one in asked]), folder / "reference.parquet"
    )
    (folder / "evaluation").mkdir()
    pq.write_table(pa.table({"product_id": list(asked)}), folder / "evaluation" / "reference_products.parquet")
    switch_live(shop.releases, release)
    assert live_release(shop.releases) == release
    trained = frozenset(catalogue.products["product_id"].iloc[:TRAINED])
    return Drilled(shop, release, catalogue, embedder, trained)


def all_files(root: Path) -> dict[str, str]:
    """Every file of a folder with its digest."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): digest_bytes(path.read_bytes()) for path in files}


def _photo_row(number: int) -> dict[str, Any]:
    content = photo(number)
    product = f"p{number:03}"
    named = {"photo_id": f"{product}/0", "product_id": product, "position": 0}
    return {**named, "content": content, "sha256": digest_bytes(content), "width": 48, "height": 64, "phash": number}


def _observed(catalogue: Catalogue, embedder: MemoryEmbedder, product: str) -> Observation:
    content = catalogue.photo_contents([f"{product}/0"])[f"{product}/0"]
    seen = embedder.embed(embedder.identity.preprocessing.batch([content]))
    labels = embedder.identity.attribute_labels
    values, sure = predicted_attributes({name: told[0] for name, told in seen.attributes.items()}, labels)
    header = photo_header(content)
    observed = Observation(seen.vectors[0].tolist(), 0.9, 0.1, values, sure, header.width, header.height, len(content))
    return replace(observed, jpeg_quality=header.jpeg_quality, sharpness=100.0)
