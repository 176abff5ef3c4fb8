"""One process that performs acts and may be killed on the way, and the chain of such processes that gets them done."""

import json
import multiprocessing
import os
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.index.kill_trap import Point, Trap
from lookalike.storage import read_json

PATIENCE_SECONDS = 300.0
_SERVER = multiprocessing.get_context("forkserver")
"""Children are forked from a process that has loaded everything and runs no threads."""


class Scenario(Protocol):
    """Acts in order on what lies under a folder; each may be repeated where it did not return."""

    name: str
    acts: Sequence[str]
    """What each act is, for the count of what was covered."""

    def empty(self, root: Path) -> None:
        """Nothing there, as before the first act."""
        ...

    def opened(self, root: Path) -> AbstractContextManager[Sequence[Callable[[], object]]]:
        """The acts as functions, for one process."""
        ...

    def view(self, root: Path) -> Any:
        """What a reader finds that opens everything now, as JSON."""
        ...

    def explain(self, act: int, before: Any, after: Any, seen: Any) -> str:
        """What is wrong with a view in the middle of an act, or the error a reader met; "" where nothing is."""
        ...

    def left(self, root: Path) -> list[str]:
        """Files that nothing names once all is done."""
        ...


@dataclass(frozen=True)
class Run:
    """Where a process starts, and where it ends."""

    scenario: Scenario
    root: Path
    """What is worked on; notes lie beside it."""
    start: int = 0
    """First act that is not acknowledged."""
    at: Point | None = None

    @property
    def acknowledged(self) -> Path:
        return self.root.with_suffix(".acknowledged")

    @property
    def passed(self) -> Path:
        return self.root.with_suffix(".points.json")

    @property
    def failure(self) -> Path:
        return self.root.with_suffix(".failure")


def start(run: Run) -> Any:
    """Begin a run in a process of its own."""
    _SERVER.set_forkserver_preload(["benchmarks.index.kill_milvus", "benchmarks.index.kill_shop"])
    process = _SERVER.Process(target=_perform, args=(run,))
    process.start()
    return process


def finish(run: Run, process: Any) -> bool:
    """Wait; whether it performed every act. Raises RuntimeError where it failed instead of being killed."""
    process.join(PATIENCE_SECONDS)
    if process.exitcode == 0:
        return True
    if run.failure.is_file():
        raise RuntimeError(run.failure.read_text(encoding="utf-8"))
    if process.exitcode is None:
        process.kill()
        raise RuntimeError(f"{run.scenario.name} does not get on after act {done(run)}")
    return False


def done(run: Run) -> int:
    """How many acts were acknowledged."""
    return len(run.acknowledged.read_bytes().splitlines()) if run.acknowledged.is_file() else 0


def points(run: Run) -> list[list[str]]:
    """The names of the points in each act of a run that was not killed."""
    found: list[list[str]] = read_json(run.passed)
    return found


def _perform(run: Run) -> None:
    trap = Trap(run.root, run.at)
    try:
        with run.scenario.opened(run.root) as acts:
            trap.arm()
            for number in range(run.start, len(acts)):
                trap.begin(number)
                acts[number]()
                trap.end()
                _acknowledge(run.acknowledged, number)
    except BaseException:
        run.failure.write_text(traceback.format_exc(), encoding="utf-8")
        raise
    run.passed.write_text(json.dumps(trap.passed), encoding="utf-8")


def _acknowledge(path: Path, act: int) -> None:
    with path.open("ab") as file:
        file.write(f"{act}\n".encode())
        file.flush()
        os.fsync(file.fileno())
