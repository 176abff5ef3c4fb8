"""The study's steps in order; each is passed over where its outcome is there already."""

from collections.abc import Mapping

from benchmarks.index import binary, filters, freshness, kills, lifecycle, ratios, speed, weights
from benchmarks.index.plan import Measure, Plan
from benchmarks.index.tables import TABLES
from benchmarks.study import Measured, Subject
from lookalike.storage import digest_json

MEASURES: Mapping[str, Measure] = {
    "faiss": ratios.measure_faiss,
    "faiss_largest": ratios.measure_faiss_largest,
    "milvus": ratios.measure_milvus,
    "speed": speed.measure,
    "filters": filters.measure,
    "binary": binary.measure,
    "freshness": freshness.measure,
    "weights": weights.measure,
    "lifecycle": lifecycle.measure,
    "kills": kills.measure,
}
"""Step to what measures it, in the order they run."""
SUBJECT = Subject("index", "index.md", TABLES)


def measure(plan: Plan, step: str) -> Measured:
    """Run a measuring step and keep what it found, or give back what it found earlier under the same settings."""
    asked = digest_json(plan.study.model_dump(mode="json"))
    return SUBJECT.keep(plan, plan.places.measured(step), asked, lambda: MEASURES[step](plan))
