"""Every place runs start at, with the means to end one there: memory, this machine, a KFP server."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.runs.kubeflow import KubeflowTrigger
from monitoring.runs.local import LocalTrigger
from monitoring.runs.memory import MemoryTrigger
from monitoring.runs.protocol import RunRequest, RunState, Trigger
from pipelines.compiled import COMPILED
from tests.pipelines.fake_kfp.server import running_fake

PRETEND = (sys.executable, "-m", "tests.pipelines.pretend_run")
REFRESH: dict[str, Any] = {"catalogue": "c", "workspace": "w", "milvus_uri": "m"}


@dataclass(frozen=True)
class Place:
    """Somewhere runs start."""

    trigger: Trigger
    again: Callable[[], Trigger]
    """The same place as another process would open it."""
    end: Callable[[str, str], None]
    """End the run of a name: `succeeded`, or `failed` because it was "told to fail"; each takes half an hour."""
    count: Callable[[], int]
    """How many runs there are."""


def request(name: str = "refresh-1") -> RunRequest:
    return RunRequest(name, "refresh_index", {**REFRESH, "settings": {"index": {"batch": 5}}, "shards": 2})


def ended(trigger: Trigger, name: str) -> RunState:
    """The run's state once it is no longer under way."""
    run_id = trigger.find(name)
    assert run_id is not None
    deadline = time.monotonic() + 60
    while (state := trigger.state(run_id)).phase == "running" and time.monotonic() < deadline:
        time.sleep(0.02)
    return state


@contextlib.contextmanager
def in_memory(folder: Path, schemas: Path | None) -> Iterator[Place]:
    trigger = MemoryTrigger(COMPILED)

    def end(name: str, phase: str) -> None:
        reason = "told to fail" if phase == "failed" else ""
        trigger.end(trigger.find(name) or "", RunState(phase, reason, 0.5))  # type: ignore[arg-type]

    yield Place(trigger, lambda: trigger, end, lambda: len(trigger.requests))


@contextlib.contextmanager
def on_this_machine(folder: Path, schemas: Path | None) -> Iterator[Place]:
    runs = folder / "pipeline_runs"
    trigger = LocalTrigger(runs, COMPILED, PRETEND)

    def end(name: str, phase: str) -> None:
        (runs / name / "phase").write_text(phase)
        (runs / name / "phase").rename(runs / name / "end")
        ended(trigger, name)

    yield Place(trigger, lambda: LocalTrigger(runs, COMPILED, PRETEND), end, lambda: len(list(runs.glob("*"))))
    for left in runs.glob("*"):
        (left / "end").write_text("failed")


@contextlib.contextmanager
def on_kubeflow(folder: Path, schemas: Path | None) -> Iterator[Place]:
    assert schemas is not None
    with running_fake(schemas / "kfp_v2beta1.swagger.json") as fake:

        def end(name: str, phase: str) -> None:
            fake.store.end_run(name, phase.upper(), "told to fail" if phase == "failed" else "")

        def opened() -> Trigger:
            return KubeflowTrigger(fake.url, COMPILED)

        yield Place(opened(), opened, end, lambda: len(fake.store.runs.things))


PLACES = {"memory": in_memory, "this machine": on_this_machine, "kubeflow": on_kubeflow}
