"""How long after an upsert another reader of the same folder finds the product."""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.built import COLLECTION, LOT, batches, photo_id, vectors_of
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.index.real import Vectors
from benchmarks.results import Figure
from benchmarks.study import Measured
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings, HnswSettings
from lookalike.index.protocol import CollectionInfo, GalleryBatch

GOAL_MS = 816
"""The 99th percentile that JD's system published (Li et al. 2018, section 4)."""


def measure(plan: Plan) -> Measured:
    """Milliseconds from the start of an upsert until a second index over the folder answers with the product."""
    folder, count = plan.places.scratch("freshness"), plan.study.fresh_products
    shutil.rmtree(folder, ignore_errors=True)
    vectors = _first(vectors_of(plan, plan.study.grown[0]), count)
    with FaissIndex(folder, FaissSettings(structure=HnswSettings(ef_construction=64))) as writer:
        writer.create(CollectionInfo(COLLECTION, "release", "model", plan.study.dimension, (LOT, *vectors.fields)))
        for batch in batches(vectors, plan.study.seed):
            writer.upsert(COLLECTION, batch)
        writer.seal(COLLECTION)
        with FaissIndex(folder) as reader:
            reader.search(COLLECTION, vectors.queries[:1], plan.study.k)
            waited = np.array(list(_waits(plan, writer, reader, vectors)))
    shutil.rmtree(folder)
    return Measured({"freshness_p99_ms": _figure(plan, waited)}, {"waited_ms": _quantiles(waited)})


def _first(vectors: Vectors, count: int) -> Vectors:
    return Vectors(vectors.gallery[:count], vectors.queries, vectors.fields.iloc[:count])


def _waits(plan: Plan, writer: FaissIndex, reader: FaissIndex, vectors: Vectors) -> Iterator[float]:
    """Every other write is a new product, the others move one that is there; each is found by its own vector."""
    random = np.random.default_rng(plan.study.seed)
    for number in range(plan.study.fresh_writes):
        name = f"new{number:06}" if number % 2 else photo_id(int(random.integers(len(vectors))))
        vector = _moved(vectors.queries[number % len(vectors.queries)], random)
        fields = {field: [None] for field in (LOT, *vectors.fields)}
        started = time.perf_counter()
        writer.upsert(COLLECTION, GalleryBatch([name], [name], vector, fields))
        while reader.search(COLLECTION, vector, 1)[0][0].photo_id != name:
            pass
        yield 1_000 * (time.perf_counter() - started)


def _moved(vector: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """(1, D) a unit vector that no photo has yet."""
    moved = vector + 0.02 * random.standard_normal(len(vector), np.float32)
    return (moved / np.linalg.norm(moved))[np.newaxis]


def _figure(plan: Plan, waited: NDArray[np.float64]) -> Figure:
    p99 = float(np.quantile(waited, 0.99))
    how = (
        "from the start of an upsert, flushed to the disk, until a second reader of the folder answers with the "
        f"product; {len(waited)} products one by one into {plan.study.fresh_products:,} x {plan.study.dimension}, "
        f"HNSW; median {np.median(waited):.1f} ms, longest {waited.max():.1f} ms, none folded in meanwhile"
    )
    return Figure(p99, "ms", how, COMMAND, f"< {GOAL_MS}", p99 < GOAL_MS, n=len(waited))


def _quantiles(waited: NDArray[np.float64]) -> dict[str, Any]:
    return {f"{100 * share:g} %": float(np.quantile(waited, share)) for share in (0.5, 0.9, 0.99, 1.0)}
