"""Two stages: signs scanned, whole vectors compared at the end. What the scanned part weighs and what it finds."""

from typing import Any

import faiss as installed_faiss
import numpy as np

from benchmarks.index.built import COLLECTION, built, opened, sizes, structures, vectors_of
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.index.ratios import segment_of
from benchmarks.index.truth import interval, kth_scores, recalls
from benchmarks.results import Figure
from benchmarks.study import Measured
from lookalike.index.faiss_settings import BinarySettings
from lookalike.index.faiss_structures import SEARCH

faiss: Any = installed_faiss
MOST_MEMORY, LEAST_RECALL = 1 / 16, 0.98


def measure(plan: Plan) -> Measured:
    """Bytes of the codes ÷ those of the vectors, and recall after the re-rank, in the largest collection."""
    size = sizes(plan)[-1]
    vectors, structure = vectors_of(plan, size), structures(plan.study.dimension)["binary"]
    assert isinstance(structure, BinarySettings)
    folder, k, queries = built(plan, size, "binary"), plan.study.k, vectors.queries[: plan.study.judged]
    codes = faiss.read_index_binary(str(segment_of(folder) / SEARCH))
    ratio = codes.ntotal * codes.code_size / vectors.gallery.nbytes
    with opened(folder) as index:
        parts = np.array_split(queries, 20)
        answers = [hits for part in parts for hits in index.search(COLLECTION, part, k)]
    found = recalls(answers, kth_scores(vectors.gallery, queries, k), k)
    recall = float(found.mean())
    what = f"{size:,} vectors x {plan.study.dimension} of float32, {structure.bits} signs on {structure.rotation} axes"
    return Measured(
        {
            "binary_memory_ratio": Figure(
                ratio,
                "ratio",
                f"bytes of the scanned codes ÷ bytes of the vectors; {what}",
                COMMAND,
                "<= 1/16",
                ratio <= MOST_MEMORY,
                n=size,
            ),
            "binary_recall": Figure(
                recall,
                "share",
                f"recall@{k} after comparing the {structure.shortlist} nearest codes exactly; {what}",
                COMMAND,
                f">= {LEAST_RECALL}",
                recall >= LEAST_RECALL,
                interval(found),
                len(found),
            ),
        }
    )
