"""The collections a sweep searches: built by the ordinary index, once for all candidates that share the build."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.index.cells import CELLS
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_folder import FaissFolder
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.index.segment import ROWS, VECTORS
from lookalike.storage import read_json, write_json

COLLECTION = "candidate"
BUILT = "built.json"
STORED_AT_ONCE = 100_000
ID_BYTES = 32
"""What two short ids take in memory."""

Clock = Callable[[], float]
"""Seconds since whenever."""


def sweep_folder(output: Path) -> Path:
    """Where the sweep for an output keeps its collection and measurements; a kill leaves it, for the next run."""
    return output.with_name(f".{output.name}.sweep")


def build_collection(folder: Path, vectors: NDArray[np.float32], settings: FaissSettings, clock: Clock) -> float:
    """Store and seal the (N, D) vectors; returns the seconds it took, now or when an interrupted sweep did it."""
    if (folder / BUILT).is_file():
        return float(read_json(folder / BUILT)["seconds"])
    with FaissIndex(folder, settings) as index:
        if COLLECTION in index.collections():
            index.drop(COLLECTION)
        started = clock()
        index.create(CollectionInfo(COLLECTION, "none", "none", vectors.shape[1], ()))
        for batch in _stored(vectors):
            index.upsert(COLLECTION, batch)
        index.seal(COLLECTION)
        seconds = clock() - started
    write_json(folder / BUILT, {"seconds": seconds})
    return seconds


def opened(folder: Path, settings: FaissSettings) -> FaissIndex:
    """The collection as it was sealed, searched with these settings; what was stored since is forgotten."""
    files = FaissFolder(folder)
    with files.writing(COLLECTION):
        sealed = replace(files.manifest(COLLECTION), settings=settings, parts=(), changed=0)
        files.switch(sealed)
        files.tidy(sealed)
    return FaissIndex(folder, settings)


def most_beside(settings: FaissSettings, rows: int) -> int:
    """Changed photos that such a collection keeps beside its structure before it is built anew."""
    return int(max(settings.fold_rows, settings.fold_share * rows))


def memory_bytes(folder: Path) -> tuple[int, int]:
    """What a search walks through, and everything a warm process holds: that, vectors, their cells, and the ids."""
    manifest = FaissFolder(folder).manifest(COLLECTION)
    assert manifest.segment is not None, "a sealed collection has one"
    sizes = {path.name: path.stat().st_size for path in (folder / COLLECTION / manifest.segment).iterdir()}
    vectors, cells = sizes.pop(VECTORS), sizes.pop(CELLS, 0)
    rows = vectors // (4 * manifest.info.dimension)
    scanned = sum(size for name, size in sizes.items() if name != ROWS) or vectors  # flat: a copy of the vectors
    return scanned, scanned + vectors + cells + rows * ID_BYTES


def changed_photos(vectors: NDArray[np.float32], first: int, count: int, seed: int) -> GalleryBatch:
    """`count` photos as an update brings them, the `first`-th of a sequence on: one replaces a photo, one is new."""
    places = np.arange(first, first + count)
    rows = np.random.default_rng(seed).permutation(len(vectors))[places % len(vectors)]
    ids = [_photo(row) if place % 2 == 0 else f"new{place}" for place, row in zip(places, rows, strict=True)]
    return GalleryBatch(ids, ids, vectors[rows], {})


def _stored(vectors: NDArray[np.float32]) -> Iterator[GalleryBatch]:
    for start in range(0, len(vectors), STORED_AT_ONCE):
        part = vectors[start : start + STORED_AT_ONCE]
        ids = [_photo(row) for row in range(start, start + len(part))]
        yield GalleryBatch(ids, ids, part, {})


def _photo(row: int) -> str:
    """A photo's id, whose order is that of the rows."""
    return f"{row:09}"
