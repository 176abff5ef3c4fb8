"""What a collection weighs, structure by structure: files, and the memory of a process that searches it."""

import multiprocessing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.index.built import COLLECTION, KINDS, built, opened, sizes, structures, vectors_of
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.index.ratios import segment_of
from benchmarks.results import Figure
from benchmarks.study import Measured
from lookalike.errors import EvaluationError
from lookalike.index.faiss_structures import SEARCH
from lookalike.index.structure_bytes import FLOAT, structure_bytes

EXTRAPOLATED = (10_000_000, 100_000_000)


@dataclass(frozen=True)
class Weight:
    """One collection."""

    size: int
    kind: str
    structure_bytes: float
    """Per photo, of `search.faiss`."""
    memory_bytes: float
    """Per photo, of the private memory a process takes to open the collection and search it."""
    formula_bytes: float
    """Per photo, what `structure_bytes` says of the structure."""


def measure(plan: Plan) -> Measured:
    """Bytes per photo at every size, beside the formula."""
    weights = [_weigh(plan, size, kind) for size in sizes(plan) for kind in KINDS]
    largest = [weight for weight in weights if weight.size == max(sizes(plan))]
    figures = {f"bytes_per_photo_{weight.kind}": _figure(plan, weight) for weight in largest}
    return Measured(
        figures, {"weights": [asdict(weight) for weight in weights], "mapped": FLOAT * plan.study.dimension}
    )


def _weigh(plan: Plan, size: int, kind: str) -> Weight:
    folder = built(plan, size, kind)
    file, structure = segment_of(folder) / SEARCH, structures(plan.study.dimension)[kind]
    stored = file.stat().st_size / size if file.is_file() else FLOAT * plan.study.dimension
    queries = vectors_of(plan, size).queries[:100]
    return Weight(
        size, kind, stored, _private(folder, queries) / size, structure_bytes(structure, plan.study.dimension)
    )


def _private(folder: Path, queries: Any) -> int:
    """Bytes of anonymous memory that opening and searching take, in a process of their own; mapped files are not."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return int(pool.apply(_opened_bytes, (folder, queries)))


def _opened_bytes(folder: Path, queries: Any) -> int:
    before = _anonymous()
    with opened(folder) as index:
        index.search(COLLECTION, queries, 10)
        return _anonymous() - before


def _anonymous() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    raise EvaluationError("/proc/self/status has no RssAnon; memory is measured on Linux")


def _figure(plan: Plan, weight: Weight) -> Figure:
    how = (
        f"private memory that opening and searching {weight.size:,} x {plan.study.dimension} takes, ids and fields "
        f"included, vectors for the exact comparison mapped beside it; the structure's file has "
        f"{weight.structure_bytes:.1f} bytes a photo, the formula says {weight.formula_bytes:.1f}"
    )
    return Figure(weight.memory_bytes, "bytes", how, COMMAND, n=weight.size)
