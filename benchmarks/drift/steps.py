"""The study's steps in order; what a trial found is kept, so a step goes on where it was interrupted."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.drift import delay, false_alarms, lives, none_drill, power
from benchmarks.drift.plan import Measured, Plan
from benchmarks.results import record
from lookalike.storage import read_json, write_json

MEASURES: Mapping[str, Callable[[Plan], Measured]] = {
    "false_alarms": false_alarms.measure,
    "power": power.measure,
    "delay": delay.measure,
    "shared": false_alarms.measure_shared,
    lives.STEP: lives.measure,
    "none_drill": none_drill.measure,
}
"""Step to what measures it, in the order they run."""
SUBJECT = "drift"
DETAILS = "drift_details.json"


def measure(plan: Plan, step: str) -> None:
    """Run a step and record what it found."""
    found = MEASURES[step](plan)
    record(SUBJECT, found.figures, plan.destination.results)
    path = plan.destination.results / DETAILS
    known: dict[str, Any] = read_json(path) if path.is_file() else {}
    write_json(path, dict(sorted({**known, step: found.details}.items())))
