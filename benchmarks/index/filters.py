"""Searches under filters: how much of the exact answer they give, and how much longer they take than without."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.built import COLLECTION, LOT, LOTS, built, lot_name, lots, opened, searched, sizes, vectors_of
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.index.real import Vectors
from benchmarks.index.timing import milliseconds, one_core
from benchmarks.index.truth import kth_scores, recalls
from benchmarks.results import Figure
from benchmarks.study import Measured
from lookalike.index.faiss import FaissIndex
from lookalike.index.predicates import Between, OneOf, Where
from lookalike.index.protocol import Hit

SHARES = (0.001, 0.01, 0.05, 0.2, 0.5, 0.99)
NONE = "none"
LEAST_RECALL, MOST_LATENCY = 0.99, 3.0


@dataclass(frozen=True)
class Asked:
    """One filter."""

    name: str
    where: Where
    rows: NDArray[np.int64]
    """What passes."""
    kth: NDArray[np.float32]
    """(Q,) cosine of each query's exact k-th neighbour among these."""

    @property
    def drawn(self) -> bool:
        """Whether what passes has nothing to do with the vectors; else it is an attribute of the products."""
        return self.name.startswith(LOT)


@dataclass(frozen=True)
class Found:
    """What one structure made of one filter."""

    size: int
    kind: str
    filter: str
    share: float
    recall: float
    first_ms: float
    """The first search with a filter, which compiles it; later ones find it compiled."""
    p50_ms: float
    ratio: float
    """p50 ÷ that without a filter."""
    drawn: bool


def measure(plan: Plan) -> Measured:
    """Recall and latency of every structure under filters of every selectivity."""
    found: list[Found] = []
    for size in dict.fromkeys([sizes(plan)[0], sizes(plan)[-1]]):
        vectors = vectors_of(plan, size)
        queries = vectors.queries[: plan.study.timed]
        asked = [*_drawn(plan, vectors, queries), *_attributes(plan, vectors, queries)]
        for kind in searched(plan, size):
            with opened(built(plan, size, kind)) as index, one_core():
                found += _measure_one(plan, index, size, kind, queries, asked)
    drawn = [each for each in found if each.drawn]
    return Measured(_figures(plan, drawn, found), {"found": [asdict(each) for each in found]})


def _measure_one(
    plan: Plan, index: FaissIndex, size: int, kind: str, queries: NDArray[np.float32], asked: Sequence[Asked]
) -> list[Found]:
    def ask(some: NDArray[np.float32], where: Where) -> list[list[Hit]]:
        return index.search(COLLECTION, some, plan.study.k, where)

    def spent(where: Where, some: NDArray[np.float32] = queries, warm: int = 10) -> float:
        return float(np.median(milliseconds(partial(ask, where=where), some, warm)))

    told, before = [], spent((), warm=len(queries))  # what they compare with may still have to come from the disk
    for each in asked:
        first = spent(each.where, queries[:1], warm=0)
        answers = [hits for part in np.array_split(queries, 10) for hits in ask(part, each.where)]
        recall = float(recalls(answers, each.kth, min(plan.study.k, len(each.rows))).mean())
        told.append((each, recall, first, spent(each.where)))
    bare = (before + spent(())) / 2  # of before and after: the machine may have become slower meanwhile
    return [
        Found(size, kind, each.name, len(each.rows) / size, recall, first, p50, p50 / bare, each.drawn)
        for each, recall, first, p50 in told
    ] + [Found(size, kind, NONE, 1.0, 1.0, bare, bare, 1.0, False)]


def _drawn(plan: Plan, vectors: Vectors, queries: NDArray[np.float32]) -> list[Asked]:
    """Filters that pass a share of all photos, whatever they show."""
    lot, asked = lots(len(vectors), plan.study.seed), []
    for share in SHARES:
        last = max(0, round(share * LOTS) - 1)
        where, rows = (Between(LOT, lot_name(0), lot_name(last)),), np.flatnonzero(lot <= last)
        if len(rows) >= plan.study.k:
            asked.append(_asked(f"{LOT} {share:g}", where, rows, vectors, queries, plan.study.k))
    return asked


def _attributes(plan: Plan, vectors: Vectors, queries: NDArray[np.float32]) -> list[Asked]:
    """Filters on what products are: the commonest and a rare value of every attribute. Most queries are of other
    products, so that what passes is rarer around them than on the whole."""
    asked = []
    for name, column in vectors.fields.items():
        counts = column.value_counts()
        for value in dict.fromkeys([counts.index[0], counts.index[len(counts) // 4]]):
            rows = np.flatnonzero((column == value).to_numpy())
            if len(rows) >= plan.study.k:
                where = (OneOf(str(name), (value,)),)
                asked.append(_asked(f"{name} {value}", where, rows, vectors, queries, plan.study.k))
    return asked


def _asked(
    name: str, where: Where, rows: NDArray[np.int64], vectors: Vectors, queries: NDArray[np.float32], k: int
) -> Asked:
    return Asked(name, where, rows, kth_scores(vectors.gallery, queries, k, rows))


def _figures(plan: Plan, drawn: Sequence[Found], found: Sequence[Found]) -> dict[str, Figure]:
    worst, slowest = min(drawn, key=lambda each: each.recall), max(drawn, key=lambda each: each.ratio)
    attributes = [each for each in found if not each.drawn and each.filter != NONE]
    told = "; ".join(dict.fromkeys(f"{each.kind} over {each.size:,}" for each in drawn))
    how = (
        f"filters drawn whatever the vector, passing {', '.join(f'{100 * share:g}' for share in SHARES)} %; {told} "
        f"vectors x {plan.study.dimension}; {plan.study.timed} queries held back, one core, one query a call"
    )
    recall, ratio = worst.recall, slowest.ratio
    figures = {
        "filtered_recall_min": Figure(
            recall,
            "share",
            f"least recall@{plan.study.k} of {len(drawn)}, {_said(worst)}; {how}",
            COMMAND,
            f">= {LEAST_RECALL}",
            recall >= LEAST_RECALL,
            n=plan.study.timed,
        ),
        "filtered_latency_ratio_max": Figure(
            ratio,
            "ratio",
            f"largest p50 ÷ p50 without filter of {len(drawn)}, {_said(slowest)}; {how}",
            COMMAND,
            f"<= {MOST_LATENCY:g}",
            ratio <= MOST_LATENCY,
            n=plan.study.timed,
        ),
    }
    if attributes:
        figures |= _attribute_figures(plan, attributes)
    return figures


def _attribute_figures(plan: Plan, found: Sequence[Found]) -> dict[str, Figure]:
    worst, slowest = min(found, key=lambda each: each.recall), max(found, key=lambda each: each.ratio)
    how = (
        f"the commonest and a rarer value of every attribute as filter, for queries of all products, {len(found)} cases"
    )
    return {
        "filtered_recall_attributes_min": Figure(
            worst.recall, "share", f"least recall@{plan.study.k}, {_said(worst)}; {how}", COMMAND, n=plan.study.timed
        ),
        "filtered_latency_ratio_attributes_max": Figure(
            slowest.ratio,
            "ratio",
            f"largest p50 ÷ p50 without filter, {_said(slowest)}; {how}",
            COMMAND,
            n=plan.study.timed,
        ),
    }


def _said(found: Found) -> str:
    told: dict[str, Any] = {"at": f"{found.size:,}", "structure": found.kind, "filter": found.filter}
    return ", ".join(f"{name} {value}" for name, value in told.items()) + f" ({100 * found.share:.2g} % pass)"
