"""One watch on this machine: look, decide, start what was decided, and stay until it ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.local_runner import PipelineRun
from app.pipeline_runs import run_here
from lookalike.errors import PipelineError
from lookalike.storage import read_json
from lookalike.workspace import Workspace
from monitoring.runs.local import LocalTrigger
from pipelines.compiled import COMPILED
from pipelines.watch import watch

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class WatchedHere:
    """What a watch came to."""

    watched: PipelineRun
    """The watch's own run."""
    decision: dict[str, Any]
    """The content of `decision.json`."""
    outcome: dict[str, Any] | None
    """What the run left that it started on this machine; None where it started none here."""


def watch_here(shop: Workspace, arguments: dict[str, Any], say: Callable[[str], None]) -> WatchedHere:
    """Run the watch pipeline; a run it starts on this machine is followed to its end.

    That run is a process of its own: it goes on where this one is killed. Raises PipelineError where it failed.
    """
    run = run_here(shop, watch, arguments, say)
    decision = read_json(run.outputs["decision"] / "decision.json")
    if decision["run"] is None or arguments.get("api"):
        return WatchedHere(run, decision, None)
    say(f"  {decision['action']}: run {decision['run']}")
    return WatchedHere(run, decision, follow(LocalTrigger(shop.pipeline_runs, COMPILED), decision["run"], say))


def follow(runs: LocalTrigger, run_id: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Repeat what a run says until it ends; returns its outcome. Raises PipelineError where it failed."""
    said = 0
    while True:
        state = runs.state(run_id)  # before reading: what is said last is then read in any case
        said = _repeat(runs.said(run_id), said, say)
        if state.phase == "failed":
            raise PipelineError(f"run {run_id} failed: {state.reason}")
        if state.phase == "succeeded":
            return runs.outcome(run_id)
        time.sleep(POLL_SECONDS)


def _repeat(file: Path, position: int, say: Callable[[str], None]) -> int:
    """Say the whole lines from `position` on; returns where the next one begins."""
    with file.open("rb") as log:
        log.seek(position)
        lines = log.read()
    whole = lines[: lines.rfind(b"\n") + 1]
    for line in whole.decode("utf-8", "replace").splitlines():
        say(line)
    return position + len(whole)
