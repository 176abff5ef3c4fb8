"""The collections that are measured: the ordinary index over one set of vectors, a folder per structure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.grown import grown_vectors
from benchmarks.index.plan import Plan
from benchmarks.index.real import Vectors, load_vectors, real_vectors
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_folder import FaissFolder
from lookalike.index.faiss_settings import (
    BinarySettings,
    FaissSettings,
    FlatSettings,
    HnswSettings,
    IvfPqSettings,
    StructureSettings,
)
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.storage import read_json, write_json

COLLECTION = "products"
BUILT = "built.json"
LOT = "lot"
"""A field of 1,000 values drawn evenly, whatever the vector: ranges of it are filters of any selectivity."""
LOTS = 1_000
STORED_AT_ONCE = 50_000
SEARCHED = ("hnsw", "ivf_pq", "binary")
KINDS = ("flat", *SEARCHED)


def structures(dimension: int) -> dict[str, StructureSettings]:
    """By kind; everything that is not said here is the library's default."""
    return {
        "flat": FlatSettings(),
        "hnsw": HnswSettings(ef_construction=64),
        "ivf_pq": IvfPqSettings(subvectors=dimension),  # half as many, the default, find 92 % of a million
        "binary": BinarySettings(bits=max(32, 2 * dimension)),
    }


def sizes(plan: Plan) -> tuple[int, ...]:
    """How many vectors the collections hold: all real ones, and each grown number."""
    return (len(load_vectors(real_vectors(plan))), *plan.study.grown)


def searched(plan: Plan, count: int) -> tuple[str, ...]:
    """The structures measured over a collection of that size."""
    return plan.study.largest_kinds if count == plan.study.grown[-1] else SEARCHED


@cache
def vectors_of(plan: Plan, count: int) -> Vectors:
    """The vectors of a collection of that size; made where they are not there yet."""
    real_vectors(plan)
    return load_vectors(grown_vectors(plan, count) if count in plan.study.grown else plan.places.real)


def built(plan: Plan, count: int, kind: str) -> Path:
    """The index folder with a finished collection of that size; built where it is not there yet."""
    folder = plan.places.collection(count, kind)
    if (folder / BUILT).is_file():
        return folder
    vectors = vectors_of(plan, count)
    with FaissIndex(folder, _settings(plan, count, kind)) as index:
        if COLLECTION in index.collections():
            index.drop(COLLECTION)
        fields = (LOT, *vectors.fields)
        index.create(CollectionInfo(COLLECTION, "release", "model", vectors.gallery.shape[1], fields))
        for batch in batches(vectors, plan.study.seed):
            index.upsert(COLLECTION, batch)
        started = process_time()
        index.seal(COLLECTION)
    write_json(folder / BUILT, {"processor_seconds": process_time() - started})
    return folder


def _settings(plan: Plan, count: int, kind: str) -> FaissSettings:
    """The library's own, but that the small collections of a trial have a structure too."""
    usual = FaissSettings(structure=structures(plan.study.dimension)[kind])
    return usual if count > usual.exact_rows else usual.model_copy(update={"exact_rows": count // 20})


def build_seconds(folder: Path) -> float:
    """Processor time that sealing took: reading what was stored, building, writing."""
    return float(read_json(folder / BUILT)["processor_seconds"])


@contextmanager
def opened(folder: Path, structure: StructureSettings | None = None) -> Iterator[FaissIndex]:
    """The collection as it was built, searched with other search parameters where some are given."""
    files = FaissFolder(folder)
    if structure is not None:
        with files.writing(COLLECTION):
            manifest = files.manifest(COLLECTION)
            files.switch(replace(manifest, settings=manifest.settings.model_copy(update={"structure": structure})))
    with FaissIndex(folder) as index:
        yield index


def lots(count: int, seed: int) -> NDArray[np.int64]:
    """(N,) the lot of every photo."""
    return np.random.default_rng([seed, count]).integers(LOTS, size=count)


def lot_name(lot: int) -> str:
    return f"{lot:03}"


def photo_id(row: int) -> str:
    """Ids are ordered as rows are."""
    return f"p{row:09}"


def batches(vectors: Vectors, seed: int) -> Iterator[GalleryBatch]:
    """All vectors with their fields, ready to store."""
    lot = [lot_name(value) for value in lots(len(vectors), seed)]
    for start in range(0, len(vectors), STORED_AT_ONCE):
        part = slice(start, min(start + STORED_AT_ONCE, len(vectors)))
        ids = [photo_id(row) for row in range(part.start, part.stop)]
        fields = {str(name): column.iloc[part].tolist() for name, column in vectors.fields.items()}
        yield GalleryBatch(ids, ids, vectors.gallery[part], {LOT: lot[part], **fields})
