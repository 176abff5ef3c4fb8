"""The study's steps in order; each is passed over where its outcome is there already."""

from importlib import import_module

from benchmarks.serving.plan import Measure, Plan
from benchmarks.serving.tables import TABLES
from benchmarks.study import Measured, Subject
from lookalike.storage import digest_json

MEASURES = ["overhead", "latency", "throughput", "overload", "swaps", "soak", "decoding", "fusion", "triton", "hostile"]
"""Modules of this package whose `measure` is a step, in the order they run; KServe is imported by those alone."""
SUBJECT = Subject("serving", "serving-benchmarks.md", TABLES)


def measure(plan: Plan, step: str) -> Measured:
    """Run a measuring step and keep what it found, or give back what it found earlier under the same settings.

    Raises Skipped where an input of the step is missing.
    """

    def found() -> Measured:
        run: Measure = import_module(f"benchmarks.serving.{step}").measure
        return run(plan)

    return SUBJECT.keep(plan, plan.places.measured(step), _asked(plan, step), found)


def _asked(plan: Plan, step: str) -> str:
    """What decides a step's outcome; the length of the soak is the soak's alone."""
    others = set() if step == "soak" else {"soak_minutes"}
    return digest_json(plan.study.model_dump(mode="json", exclude=others))
