"""From an asked-for run to a started one, and back where it came to nothing."""

from collections.abc import Callable
from pathlib import Path

from lookalike.errors import LookalikeError
from monitoring.history import StartedRun, WatchHistory, alone, read_history, write_history
from monitoring.runs.protocol import RunRequest, Trigger

FORGOTTEN = "it was there and is no longer"


def settled(history: WatchHistory, runs: Trigger) -> WatchHistory:
    """The history with every open run as it stands now; called before deciding.

    A run that was asked for and that nobody knows was never started: a watch died in between, and the run is forgotten.
    A run that failed is withdrawn: its causes may be answered again.
    """
    for run in history.open_runs():
        history = _settled(history, run, runs)
    return history


def _settled(history: WatchHistory, run: StartedRun, runs: Trigger) -> WatchHistory:
    found = runs.find(run.name)
    if found is None:
        return history.without(run) if run.run_id is None else withdrawn(history, run, FORGOTTEN)
    state = runs.state(found)
    if state.phase == "failed":
        return withdrawn(history, run, state.reason, run_id=found, hours=state.hours)
    return history.updating(
        run, state="succeeded" if state.phase == "succeeded" else "running", run_id=found, hours=state.hours
    )


def withdrawn(
    history: WatchHistory, run: StartedRun, why: str, run_id: str | None = None, hours: float | None = None
) -> WatchHistory:
    """The history with a run taken back: it answers nothing and is remembered, so that attempts can be counted."""
    return history.updating(run, state="withdrawn", note=why, run_id=run_id or run.run_id, hours=hours)


def start_asked(history: Path, runs: Trigger, request: Callable[[StartedRun], RunRequest]) -> list[StartedRun]:
    """Start what a decision asked for; returns the runs that are started now.

    Finding by name, starting and remembering is one step among all watches of this history, so that whatever is killed
    or run twice, a name is started once. Where starting fails the run is withdrawn and the error raised.
    """
    started = []
    with alone(history):
        known = read_history(history)
        for run in known.open_runs():
            if run.state != "asked":
                continue
            try:
                run_id = runs.find(run.name) or runs.start(request(run))
            except LookalikeError as error:
                write_history(history, withdrawn(known, run, f"it could not be started: {error}"))
                raise
            now_running = run.model_copy(update={"state": "running", "run_id": run_id})
            known = known.updating(run, state="running", run_id=run_id)
            write_history(history, known)
            started.append(now_running)
    return started
