"""Runs on this machine: a process each, which outlives whoever started it and whose death is noticed.

A run is a folder: `request.json`, what is said in `said.log`, and `outcome.json` once it ended. Its process holds a
lock on the file `alive` from before the request can be seen until it dies, so that a run without an outcome whose lock
is free was killed. The lock goes from parent to child with the open file; there is no moment without it.
"""

import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lookalike.errors import PipelineError
from lookalike.storage import read_json, write_json
from monitoring.runs.arguments import check_request
from monitoring.runs.protocol import ListedRun, RunRequest, RunState

REQUEST, OUTCOME, SAID, ALIVE, PROCESS = "request.json", "outcome.json", "said.log", "alive", "process.json"
RUNNER = (sys.executable, "-m", "app.local_run")
"""What executes a run's folder: the command line's own package, which knows the pipelines."""

WITHIN_TASK = "_KFP_RUNTIME"
"""By this variable KFP leaves out what runs pipelines; a run that a task starts is no part of that task."""


class LocalTrigger:
    """Runs below one folder, each started by `command` with its own folder as the last argument."""

    def __init__(self, folder: Path, pipelines: Path, command: Sequence[str] = RUNNER) -> None:
        self.folder, self.pipelines, self.command = folder, pipelines, tuple(command)

    def start(self, request: RunRequest) -> str:
        check_request(self.pipelines, request)
        if self.find(request.name) is not None:
            return request.name
        run = self._run(request.name)
        run.mkdir(parents=True, exist_ok=True)
        with (run / ALIVE).open("a") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            if not (run / REQUEST).is_file():
                write_json(run / REQUEST, {**asdict(request), "asked": datetime.now(UTC).isoformat()})
                write_json(run / PROCESS, {"pid": _spawn([*self.command, str(run)], run / SAID, alive.fileno())})
        return request.name

    def state(self, run_id: str) -> RunState:
        run = self._run(run_id)
        if not (run / REQUEST).is_file():
            raise PipelineError(f"there is no run '{run_id}' in {self.folder}")
        if _lives(run / ALIVE):
            return RunState("running")
        if not (run / OUTCOME).is_file():
            return RunState("failed", f"its process ended without a word; see {run / SAID}")
        outcome = read_json(run / OUTCOME)
        return RunState(outcome["phase"], outcome["reason"], outcome["hours"])

    def find(self, name: str) -> str | None:
        return name if (self._run(name) / REQUEST).is_file() else None

    def runs(self) -> list[ListedRun]:
        """Every run, the newest first."""
        asked = {path.parent.name: read_json(path)["asked"] for path in self.folder.glob(f"*/{REQUEST}")}
        listed = [ListedRun(name, name, self.state(name), when) for name, when in asked.items()]
        return sorted(listed, key=lambda run: run.started, reverse=True)

    def cancel(self, run_id: str) -> None:
        """Kill a run's processes; an ended one stays as it is. Raises PipelineError for an id nobody knows."""
        if self.state(run_id).phase == "running":
            pid = read_json(self._run(run_id) / PROCESS)["pid"]
            os.killpg(pid, signal.SIGTERM)  # it leads a session of its own, its tasks included

    def said(self, run_id: str) -> Path:
        """What a run has said so far, a line at a time."""
        return self._run(run_id) / SAID

    def outcome(self, run_id: str) -> dict[str, Any]:
        """What an ended run left. Raises ArtifactError where it left nothing."""
        return dict(read_json(self._run(run_id) / OUTCOME))

    def _run(self, name: str) -> Path:
        if not name or name.startswith(".") or "/" in name:
            raise PipelineError(f"{name!r} names no run: letters, digits, - and _ do")
        return self.folder / name


def _spawn(command: Sequence[str], said: Path, alive: int) -> int:
    """Start a process with the lock in its hands and everything it says in a file.

    posix_spawn, since a fork of a process with gRPC threads may die at once.
    """
    os.set_inheritable(alive, True)
    quiet = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    heard = (os.POSIX_SPAWN_OPEN, 1, str(said), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    actions = [quiet, heard, (os.POSIX_SPAWN_DUP2, 1, 2)]
    environment = {name: value for name, value in os.environ.items() if name != WITHIN_TASK}
    return os.posix_spawn(command[0], list(command), environment, file_actions=actions, setsid=True)


def _lives(alive: Path) -> bool:
    with _opened(alive) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
