"""The study's steps in order; what a trial found is kept, so a step goes on where it was interrupted."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.drift import (
    delay,
    false_alarms,
    gate,
    gate_fresh,
    lives,
    loop,
    none_drill,
    page,
    poison,
    poison_trained,
    power,
    years,
)
from benchmarks.drift.plan import Measured, MissingInput, Plan
from benchmarks.results import record
from lookalike.storage import read_json, write_json

log = logging.getLogger(__name__)

MEASURES: Mapping[str, Callable[[Plan], Measured]] = {
    "false_alarms": false_alarms.measure,
    "power": power.measure,
    "delay": delay.measure,
    "shared": false_alarms.measure_shared,
    lives.STEP: lives.measure,
    "years": years.measure,
    "none_drill": none_drill.measure,
    "page": page.measure,
    "gate": gate.measure,
    "gate_fresh": gate_fresh.measure,
    "poison": poison.measure,
    "poison_trained": poison_trained.measure,
    "loop": loop.measure,
}
"""Step to what measures it, in the order they run."""
SUBJECT = "drift"
DETAILS = "drift_details.json"


def measure(plan: Plan, step: str) -> bool:
    """Run a step and record what it found; False, with a sentence, where it lacks something to measure on."""
    try:
        found = MEASURES[step](plan)
    except MissingInput as error:
        log.warning("%s was skipped: %s", step, error)
        return False
    record(SUBJECT, found.figures, plan.destination.results)
    path = plan.destination.results / DETAILS
    known: dict[str, Any] = read_json(path) if path.is_file() else {}
    write_json(path, dict(sorted({**known, step: found.details}.items())))
    return True
