"""The study's steps in order; each is skipped where its outcome is there already."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.index import binary, filters, freshness, kills, lifecycle, ratios, speed, weights
from benchmarks.index.plan import Measure, Measured, Plan
from benchmarks.results import Figure, record
from lookalike.storage import digest_json, read_json, write_json

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
DETAILS = "index_details.json"
SUBJECT = "index"


def measure(plan: Plan, step: str) -> Measured:
    """Run a measuring step and keep what it found, or give back what it found earlier under the same settings."""
    path, asked = plan.places.measured(step), digest_json(plan.study.model_dump(mode="json"))
    if path.is_file() and not plan.again and (kept := read_json(path))["study"] == asked:
        return _read(kept)
    found = MEASURES[step](plan)
    figures = {key: asdict(figure) for key, figure in found.figures.items()}
    write_json(path, {"study": asked, "figures": figures, "details": found.details})
    record(SUBJECT, found.figures, plan.destination.results)
    _keep_details(plan, step, found.details)
    return found


def _keep_details(plan: Plan, step: str, details: Mapping[str, Any]) -> None:
    path = plan.destination.results / DETAILS
    known = read_json(path) if path.is_file() else {}
    write_json(path, dict(sorted({**known, step: details}.items())))


def _read(kept: Mapping[str, Any]) -> Measured:
    return Measured({key: Figure(**figure) for key, figure in kept["figures"].items()}, kept["details"])
