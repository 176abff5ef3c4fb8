"""A catalogue of as many products as wanted, each with a photo of its own, grown from the photos of a real one.

Photo i is a real photo cut closer, mirrored or not, lit otherwise, and encoded again at its size; so bytes and pixels
differ and nothing is spared for being the same picture. It is the same in every run, whoever makes it: its draws are
seeded by its number. Parts that were finished are kept, so that growing goes on where it was stopped.
"""

import io
import multiprocessing
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageEnhance, ImageOps

from lookalike.catalog.images import decode_photo
from lookalike.catalog.products import (
    DUPLICATES,
    MAPPING,
    PHOTO_SCHEMA,
    PHOTOS,
    PHOTOS_PER_PART,
    PRODUCTS,
    Catalogue,
    load_catalogue,
)
from lookalike.progress import progress
from lookalike.storage import atomic_file, digest_bytes, read_seal, run_stage, write_json

PART = 100 * PHOTOS_PER_PART
"""Photos that are kept together while growing."""
SHARPEST_CUT = 0.12
"""Share of a side that is cut away at most."""
LIGHT = (0.8, 1.25)
"""Brightness and contrast, relative to the photo's own."""
QUALITY = 90
LEAST = (72, 96)
"""Width and height at which a photo is decoded at least, where it is that large."""


@dataclass(frozen=True)
class Growing:
    """What is grown; small enough to be sent to another process."""

    validated: Path
    folder: Path
    products: int
    seed: int

    def part(self, number: int) -> Path:
        return self.folder / f"part-{number:05}.parquet"


def grown_catalogue(validated: Path, folder: Path, products: int, seed: int, processes: int = 2) -> Path:
    """A validated folder of so many products with one photo each; made anew only where it was not finished."""
    growing = Growing(validated, folder.with_name(f"{folder.name}-parts"), products, seed)

    def write(output: Path) -> dict[str, Any]:
        catalogue = load_catalogue(validated)
        _grow_parts(growing, processes)
        _join_parts(growing, output / PHOTOS)
        _products(catalogue, products).to_parquet(output / PRODUCTS, index=False)
        pd.DataFrame({"product_id": [], "group_id": []}, dtype=object).to_parquet(output / DUPLICATES, index=False)
        write_json(output / MAPPING, catalogue.mapping.model_dump(mode="json"))
        return {"products": products, "bytes": (output / PHOTOS).stat().st_size}

    content = [PRODUCTS, PHOTOS, DUPLICATES, MAPPING]
    settings = {"products": products, "seed": seed, "from": read_seal(validated).content}
    run_stage("validate", folder, inputs={}, settings=settings, content=content, work=write)
    shutil.rmtree(growing.folder, ignore_errors=True)
    return folder


def grow_photo(content: bytes, seed: int, number: int) -> bytes:
    """One photo made of another; the same for the same seed and number."""
    random = np.random.default_rng([seed, number])
    photo = decode_photo(content, at_least=LEAST)
    (left, right), (top, bottom) = random.uniform(0, SHARPEST_CUT / 2, (2, 2))
    box = (left * photo.width, top * photo.height, (1 - right) * photo.width, (1 - bottom) * photo.height)
    grown = photo.resize(photo.size, Image.Resampling.BICUBIC, box)
    if random.random() < 0.5:
        grown = ImageOps.mirror(grown)
    brightness, contrast = random.uniform(*LIGHT, 2)
    grown = ImageEnhance.Contrast(ImageEnhance.Brightness(grown).enhance(brightness)).enhance(contrast)
    encoded = io.BytesIO()
    grown.save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue()


def _grow_parts(growing: Growing, processes: int) -> None:
    """Every part that is not there yet."""
    growing.folder.mkdir(parents=True, exist_ok=True)
    wanted = [number for number in range(-(-growing.products // PART)) if not growing.part(number).is_file()]
    shares = [(growing, wanted[start :: 4 * processes]) for start in range(4 * processes)]
    with multiprocessing.get_context("forkserver").Pool(processes) as workers:
        list(progress(workers.imap_unordered(_grow_some, shares), "growing photos", total=len(shares)))


def _grow_some(share: tuple[Growing, list[int]]) -> None:
    """Some parts, in a process of its own."""
    growing, numbers = share
    sources = list(load_catalogue(growing.validated).photo_contents(_gallery(growing.validated)).values())
    for number in numbers:
        rows = range(number * PART, min((number + 1) * PART, growing.products))
        photos = [_row(row, grow_photo(sources[row % len(sources)], growing.seed, row)) for row in rows]
        with atomic_file(growing.part(number)) as aside:
            pq.write_table(pa.Table.from_pylist(photos, PHOTO_SCHEMA), aside, row_group_size=PHOTOS_PER_PART)


def _gallery(validated: Path) -> list[str]:
    """The main photo of every product, in the catalogue's order."""
    photos = load_catalogue(validated).gallery_photos
    return photos.drop_duplicates("product_id")["photo_id"].tolist()


def _row(number: int, content: bytes) -> dict[str, Any]:
    product = _product(number)
    with Image.open(io.BytesIO(content)) as photo:
        width, height = photo.size
    measured = {"content": content, "sha256": digest_bytes(content), "width": width, "height": height}
    return {"photo_id": f"{product}/0", "product_id": product, "position": 0, **measured, "phash": 0}


def _products(catalogue: Catalogue, count: int) -> pd.DataFrame:
    """So many products, those of the catalogue again and again under ids of their own."""
    pictured = set(catalogue.gallery_photos["product_id"])
    known = catalogue.products[catalogue.products["product_id"].isin(pictured)]
    grown = known.iloc[np.arange(count) % len(known)].reset_index(drop=True)
    return grown.assign(product_id=[_product(number) for number in range(count)])


def _product(number: int) -> str:
    """Ids whose order as text is that of the numbers."""
    return f"g{number:09}"


def _join_parts(growing: Growing, path: Path) -> None:
    with pq.ParquetWriter(path, PHOTO_SCHEMA) as writer:
        for group in progress(_groups(growing), "joining parts", total=-(-growing.products // PHOTOS_PER_PART)):
            writer.write_table(group, row_group_size=PHOTOS_PER_PART)


def _groups(growing: Growing) -> Iterator[pa.Table]:
    for number in range(-(-growing.products // PART)):
        with pq.ParquetFile(growing.part(number)) as file:
            yield from (file.read_row_group(group) for group in range(file.num_row_groups))
