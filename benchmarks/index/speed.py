"""Recall against queries per second, structure by structure; and the fastest graph that finds 99 %."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import faiss as installed_faiss
import numpy as np

from benchmarks.index.built import COLLECTION, build_seconds, built, opened, searched, sizes, structures, vectors_of
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.index.ratios import segment_of
from benchmarks.index.timing import one_core, per_second
from benchmarks.index.truth import interval, kth_scores, recalls
from benchmarks.results import Figure
from benchmarks.study import Measured
from lookalike.index.comparing import Found, Vectors
from lookalike.index.faiss_settings import BinarySettings, HnswSettings, IvfPqSettings, StructureSettings
from lookalike.index.faiss_structures import ROTATION, SEARCH, Binary, Hnsw, IvfPq, Structure
from lookalike.index.huge_pages import graph_on_huge_pages
from lookalike.index.proof import TIE

faiss: Any = installed_faiss
LEAST_RECALL, GOAL = 0.99, 5_000
MARGIN = 0.002
"""How far above the wanted recall the setting is chosen: the other half of the queries may find a little less."""
TRIED = {
    "hnsw": ("ef", (16, 32, 48, 64, 96, 128, 192)),
    "ivf_pq": ("probes", (4, 16, 64, 128)),
    "binary": ("shortlist", (100, 400, 1_000, 4_000)),
}


@dataclass(frozen=True)
class Point:
    """One setting on a structure's curve."""

    size: int
    kind: str
    setting: str
    value: int
    recall: float
    per_second: float


def measure(plan: Plan) -> Measured:
    """The curves of all structures, and queries/s of the adapter where the graph finds enough."""
    real, largest = sizes(plan)[0], sizes(plan)[-1]
    points = [point for size in dict.fromkeys([real, largest]) for point in _curves(plan, size)]
    graphs = [point for point in points if (point.size, point.kind) == (largest, "hnsw")]
    enough = [point for point in graphs if point.recall >= LEAST_RECALL + MARGIN] or graphs[-1:]
    return Measured(
        {"qps_at_099_1m": _fastest(plan, largest, enough[0].value)}, {"points": [asdict(p) for p in points]}
    )


def _curves(plan: Plan, size: int) -> Iterator[Point]:
    vectors = vectors_of(plan, size)
    queries = vectors.queries[: plan.study.judged]
    kth = kth_scores(vectors.gallery, queries, plan.study.k)
    for kind in searched(plan, size):
        setting, values = TRIED[kind]
        structure, make = structures(plan.study.dimension)[kind], _maker(plan, size, kind)
        for value in values:
            structure_at = make(structure.model_copy(update={setting: value}))
            with one_core():
                rate = per_second(partial(_asked, structure_at, plan.study.k), queries, plan.study.batch)
            scores, _ = _asked(structure_at, plan.study.k, queries)
            recall = float((np.sort(scores, axis=1)[:, ::-1] >= kth[:, np.newaxis] - TIE).mean())
            yield Point(size, kind, setting, value, recall, rate)


def _asked(searched: Structure, k: int, queries: Vectors) -> Found:
    return searched.nearest(queries, k, None)


def _maker(plan: Plan, size: int, kind: str) -> Callable[[StructureSettings], Structure]:
    """The finished structure, searched with other parameters."""
    folder, vectors = segment_of(built(plan, size, kind)), vectors_of(plan, size).gallery
    read = faiss.read_index_binary if kind == "binary" else faiss.read_index
    index = read(str(folder / SEARCH))
    if kind == "hnsw":
        graph_on_huge_pages(index)

    def make(settings: StructureSettings) -> Structure:
        match settings:
            case HnswSettings():
                return Hnsw(index, settings)
            case IvfPqSettings():
                return IvfPq(index, None, vectors, settings)
            case BinarySettings():
                return Binary(index, np.load(folder / ROTATION, allow_pickle=False), vectors, settings)
        raise AssertionError(settings)

    return make


def _fastest(plan: Plan, size: int, ef: int) -> Figure:
    folder, vectors = built(plan, size, "hnsw"), vectors_of(plan, size)
    graph = structures(plan.study.dimension)["hnsw"].model_copy(update={"ef": ef})
    assert isinstance(graph, HnswSettings)
    raw = faiss.read_index(str(segment_of(folder) / SEARCH))
    params, k, batch = faiss.SearchParametersHNSW(efSearch=ef), plan.study.k, plan.study.batch
    queries = vectors.queries[: plan.study.judged]
    with opened(folder, graph) as index:
        answers = index.search(COLLECTION, queries, k)
        found = recalls(answers, kth_scores(vectors.gallery, queries, k), k)
        with one_core():
            rates = [
                (
                    per_second(lambda asked: index.search(COLLECTION, asked, k), queries, batch),
                    per_second(lambda asked: raw.search(asked, k, params=params), queries, batch),
                )
                for _ in range(plan.study.rounds)
            ]
    with opened(folder, structures(plan.study.dimension)["hnsw"]):
        pass  # leaves the collection as it was built
    ours, floor = (float(np.median(column)) for column in zip(*rates, strict=True))
    enough = found.mean() >= LEAST_RECALL
    how = (
        f"through the adapter, {batch} queries a call on one core, recall@{k} {found.mean():.4f} "
        f"({interval(found)[0]:.4f} to {interval(found)[1]:.4f}) over {len(found)} real photos held back; HNSW m "
        f"{graph.m}, ef_construction {graph.ef_construction}, ef {ef}, {size:,} vectors x {plan.study.dimension}; raw "
        f"faiss beside it {floor:,.0f} queries/s; built in "
        f"{build_seconds(folder):.0f} s of processor time"
    )
    slowest, quickest = min(rate for rate, _ in rates), max(rate for rate, _ in rates)
    return Figure(
        ours,
        "queries/s",
        how,
        COMMAND,
        f">= {GOAL:,} at recall >= {LEAST_RECALL}",
        bool(ours >= GOAL and enough),
        (slowest, quickest),
        len(found),
    )
