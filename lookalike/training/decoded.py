"""A catalogue's photos as one array of pixels, decoded once and shared by every run that sees them the same way."""

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import Catalogue
from lookalike.progress import progress
from lookalike.storage import atomic_file, digest_file, digest_json, read_json, write_json

log = logging.getLogger(__name__)

CHUNK = 256
"""Photos decoded side by side; their encoded bytes are all that is in memory beside the result."""

Pixels = NDArray[np.uint8]
"""(P, H, W, 3)."""


def decode_photos(catalogue: Catalogue, photo_ids: list[str], preprocessing: Preprocessing) -> Pixels:
    """Decode photos, given in the catalogue's order, into memory."""
    pixels = np.empty(_shape(photo_ids, preprocessing), np.uint8)
    _fill(pixels, catalogue, photo_ids, preprocessing)
    return pixels


def cached_gallery(catalogue: Catalogue, preprocessing: Preprocessing, folder: Path) -> Pixels:
    """All gallery photos in their order, mapped read-only from a file under `folder`.

    The file is named after the preprocessing and the photos' own digests, so other splits, triplets and recipes
    find it too. The first process to ask decodes while others wait; a file that is not what was written is made anew.
    """
    photos = catalogue.gallery_photos
    key = digest_json({"preprocessing": preprocessing.fingerprint, "photos": photos["sha256"].tolist()})[:16]
    path, ids = folder / f"{key}.npy", photos["photo_id"].tolist()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{key}.lock"):  # let go by the system when its holder is killed
        if not _intact(path):
            _clear_unfinished(path)
            _build(path, catalogue, ids, preprocessing)
        return map_photos(path)


def map_photos(path: Path) -> Pixels:
    """A file of pixels, mapped read-only: np.memmap, whose `filename` another process can map too."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _shape(photo_ids: list[str], preprocessing: Preprocessing) -> tuple[int, int, int, int]:
    return len(photo_ids), preprocessing.height, preprocessing.width, 3


def _build(path: Path, catalogue: Catalogue, photo_ids: list[str], preprocessing: Preprocessing) -> None:
    with atomic_file(path) as aside:
        pixels = np.lib.format.open_memmap(aside, "w+", np.uint8, _shape(photo_ids, preprocessing))
        _fill(pixels, catalogue, photo_ids, preprocessing)
        pixels.flush()
        write_json(_seal(path), {"sha256": digest_file(aside)})


def _seal(path: Path) -> Path:
    return path.with_suffix(".json")


def _intact(path: Path) -> bool:
    """Whether the file holds the bytes that were sealed; reading them all also warms the page cache for training."""
    if not (path.is_file() and _seal(path).is_file()):
        return False
    if digest_file(path) == read_json(_seal(path))["sha256"]:
        return True
    log.warning("%s is not what was written; decoding the photos again", path)
    return False


def _clear_unfinished(path: Path) -> None:
    """Remove what killed processes left aside; whoever holds the lock is the only one at work."""
    for aside in path.parent.glob(f".{path.name}.*.partial*"):
        aside.unlink()


def _fill(pixels: Pixels, catalogue: Catalogue, photo_ids: list[str], preprocessing: Preprocessing) -> None:
    places = {photo: place for place, photo in enumerate(photo_ids)}
    photos = progress(catalogue.stream_contents(places.keys()), "decode", len(places))
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes and resizes without the interpreter's lock
        for chunk in _chunks(photos):
            for photo, decoded in zip(chunk, pool.map(preprocessing.pixels, chunk.values()), strict=True):
                pixels[places[photo]] = decoded


def _chunks(photos: Iterator[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    while chunk := dict(islice(photos, CHUNK)):
        yield chunk
