"""The study's steps in order; each is skipped where its outcome is there already."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Any

from benchmarks.results import Figure, record
from benchmarks.serving.plan import Measure, Measured, Plan
from lookalike.storage import digest_json, read_json, write_json

MEASURES = ["overhead", "latency", "throughput", "overload", "swaps", "soak", "decoding", "fusion", "triton", "hostile"]
"""Modules of this package whose `measure` is a step, in the order they run; KServe is imported by those alone."""
DETAILS = "serving_details.json"
SUBJECT = "serving"


def measure(plan: Plan, step: str) -> Measured:
    """Run a measuring step and keep what it found, or give back what it found earlier under the same settings.

    Raises Skipped where an input of the step is missing.
    """
    path, asked = plan.places.measured(step), _asked(plan, step)
    if path.is_file() and not plan.again and (kept := read_json(path))["study"] == asked:
        return _read(kept)
    run: Measure = import_module(f"benchmarks.serving.{step}").measure
    found = run(plan)
    figures = {key: asdict(figure) for key, figure in found.figures.items()}
    write_json(path, {"study": asked, "figures": figures, "details": found.details})
    record(SUBJECT, found.figures, plan.destination.results)
    _keep_details(plan, step, found.details)
    return found


def _asked(plan: Plan, step: str) -> str:
    """What decides a step's outcome; the length of the soak is the soak's alone."""
    others = set() if step == "soak" else {"soak_minutes"}
    return digest_json(plan.study.model_dump(mode="json", exclude=others))


def _keep_details(plan: Plan, step: str, details: Mapping[str, Any]) -> None:
    path = plan.destination.results / DETAILS
    known = read_json(path) if path.is_file() else {}
    write_json(path, dict(sorted({**known, step: details}.items())))


def _read(kept: Mapping[str, Any]) -> Measured:
    return Measured({key: Figure(**figure) for key, figure in kept["figures"].items()}, kept["details"])
