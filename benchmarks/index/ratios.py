"""What the adapters cost: the same searches through them and through the bare library, side by side."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss as installed_faiss
from numpy.typing import NDArray
from pymilvus import MilvusClient

from benchmarks.index.built import COLLECTION, LOT, batches, built, opened, sizes, structures, vectors_of
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.index.timing import Ask, Rates, one_core, side_by_side
from benchmarks.results import Figure
from benchmarks.study import Measured
from lookalike.index.faiss_folder import FaissFolder
from lookalike.index.faiss_settings import HnswSettings
from lookalike.index.faiss_structures import SEARCH
from lookalike.index.huge_pages import graph_on_huge_pages
from lookalike.index.milvus import MilvusIndex
from lookalike.index.protocol import CollectionInfo

faiss: Any = installed_faiss  # its stubs lack search parameters
GOAL = 0.9
MILVUS_QUERIES = 100
"""Lite takes a hundredth of a second for each."""


@dataclass(frozen=True)
class Way:
    """One way of asking."""

    key: str
    size: int
    batch: int
    said: str


def measure_faiss(plan: Plan) -> Measured:
    """Queries per second of the faiss adapter ÷ those of the graph inside it, over the real vectors."""
    return _measure_faiss(plan, "faiss_ratio", sizes(plan)[0])


def measure_faiss_largest(plan: Plan) -> Measured:
    """The same over the largest collection."""
    return _measure_faiss(plan, "faiss_ratio_largest", sizes(plan)[-1])


def _measure_faiss(plan: Plan, key: str, size: int) -> Measured:
    batched, one = f"{plan.study.batch} queries a call", "one query a call"
    ways = {
        Way(key, size, plan.study.batch, batched): False,
        Way(f"{key}_single", size, 1, one): False,
        Way(f"{key}_same_pages", size, plan.study.batch, f"{batched}, raw faiss on huge pages as well"): True,
        Way(f"{key}_single_same_pages", size, 1, f"{one}, raw faiss on huge pages as well"): True,
    }
    rates = {way: _faiss_rates(plan, way, huge) for way, huge in ways.items()}
    raw = (
        "raw faiss IndexHNSWFlat, same graph, ef, k and core; raw gives rows and scores, ours checks queries, orders "
        "ties and gives photo ids, product ids and scores, fields to be looked up; ours lays the graph on huge pages"
    )
    return Measured(
        {way.key: _figure(plan, each, way, raw) for way, each in rates.items()},
        {way.key: _told(each, way) for way, each in rates.items()},
    )


def _faiss_rates(plan: Plan, way: Way, huge: bool) -> Rates:
    folder, structure = built(plan, way.size, "hnsw"), structures(plan.study.dimension)["hnsw"]
    assert isinstance(structure, HnswSettings)
    raw = faiss.read_index(str(segment_of(folder) / SEARCH))
    if huge:
        graph_on_huge_pages(raw)
    params, k = faiss.SearchParametersHNSW(efSearch=structure.ef), plan.study.k
    queries = vectors_of(plan, way.size).queries[: plan.study.judged if way.batch == 1 else None]
    with opened(folder) as index, one_core():
        ours: Ask = lambda asked: index.search(COLLECTION, asked, k)  # noqa: E731
        theirs: Ask = lambda asked: raw.search(asked, k, params=params)  # noqa: E731
        return side_by_side(ours, theirs, queries, way.batch, plan.study.rounds)


def measure_milvus(plan: Plan) -> Measured:
    """Queries per second of the Milvus adapter ÷ those of pymilvus, both on one Milvus Lite file."""
    real = sizes(plan)[0]
    folder = plan.places.scratch("milvus")
    shutil.rmtree(folder, ignore_errors=True)
    way = Way("milvus_ratio", real, 1, "one query a call")
    batched = Way("milvus_ratio_batch", real, plan.study.batch, f"{plan.study.batch} queries a call")
    uri = str(folder / "milvus.db")
    with MilvusIndex(uri) as index:
        _fill(plan, index, real)
        rates = {each.key: _milvus_rates(plan, index, uri, each) for each in (way, batched)}
    raw = "raw pymilvus: same Milvus Lite file, FLAT, k and output fields"
    return Measured(
        {each.key: _figure(plan, rates[each.key], each, raw) for each in (way, batched)},
        {each.key: _told(rates[each.key], each) for each in (way, batched)},
    )


def _fill(plan: Plan, index: MilvusIndex, size: int) -> None:
    vectors = vectors_of(plan, size)
    index.create(CollectionInfo(COLLECTION, "release", "model", vectors.gallery.shape[1], (LOT, *vectors.fields)))
    for batch in batches(vectors, plan.study.seed):
        index.upsert(COLLECTION, batch)
    index.seal(COLLECTION)


def _milvus_rates(plan: Plan, index: MilvusIndex, uri: str, way: Way) -> Rates:
    client, k = MilvusClient(uri=uri), plan.study.k
    fields = ["photo_id", "product_id", *index.describe(COLLECTION).fields]

    def raw(asked: NDArray) -> object:
        return client.search(COLLECTION, data=list(asked), limit=k, anns_field="vector", output_fields=fields)

    queries = vectors_of(plan, way.size).queries[:MILVUS_QUERIES]
    try:
        return side_by_side(
            lambda asked: index.search(COLLECTION, asked, k), raw, queries, way.batch, max(3, plan.study.rounds // 2)
        )
    finally:
        client.close()


def segment_of(folder: Path) -> Path:
    """The folder of a collection's finished part."""
    named = FaissFolder(folder).manifest(COLLECTION).segment
    assert named is not None, "the collection is built"
    return folder / COLLECTION / named


def _figure(plan: Plan, rates: Rates, way: Way, raw: str) -> Figure:
    goal, ratio = f">= {GOAL}" if way.key in ("faiss_ratio", "milvus_ratio") else "", rates.ratio
    how = (
        f"our adapter's queries/s ÷ {raw}; {way.said}, {way.size:,} vectors x {plan.study.dimension}, no filter; "
        f"median of {len(rates.ours)} turns side by side, {_rate(rates.ours)} against {_rate(rates.raw)} queries/s"
    )
    return Figure(
        ratio, "ratio", how, COMMAND, goal, ratio >= GOAL if goal else None, rates.interval(), len(rates.ours)
    )


def _rate(values: NDArray) -> str:
    return f"{float(sorted(values)[len(values) // 2]):,.0f}"


def _told(rates: Rates, way: Way) -> dict[str, Any]:
    return {"size": way.size, "batch": way.batch, "ours": rates.ours.tolist(), "raw": rates.raw.tolist()}
