"""What earlier watches saw and started: one small file that outlives every run of the watch."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from lookalike.config import StrictConfig, load_config
from lookalike.storage import write_json
from monitoring.episode import Episode, Evidence, SeenWindow
from monitoring.result import DriftResult

Action = Literal["retrain", "reindex", "watch"]
KEPT_WINDOWS = 1000
"""Windows remembered, to be looked at; an hourly watch looks back six weeks. Episodes do not need them."""
KEPT_RUNS = 1000
"""Runs remembered; a reindex a day and a retrain a week are over two years."""


class StartedRun(StrictConfig):
    """One pipeline run a watch asked for."""

    name: str
    """Name of the run; it carries what the run answers, so asking again asks for the same run."""
    action: Action
    """`retrain` or `reindex`."""
    causes: tuple[str, ...]
    """What it answers: a drift episode, a catalogue digest, the age of a release."""
    started: datetime
    """When it was asked for."""
    state: Literal["asked", "running", "succeeded", "withdrawn"] = "asked"
    """`asked` until it was started; `withdrawn` where it failed or could not be started, and answers nothing."""
    run_id: str | None = None
    """What the place it runs at calls it; null until it was started there."""
    hours: float | None = None
    """How long it took; null until it ended."""
    note: str = ""
    """Why it was withdrawn."""

    @property
    def open(self) -> bool:
        """Whether it is still to be started or under way."""
        return self.state in ("asked", "running")

    @property
    def cost(self) -> bool:
        """Whether it takes from the budget: all that were started, and those that are about to be."""
        return self.open or self.run_id is not None


class WatchHistory(StrictConfig):
    """Everything remembered between watches."""

    windows: list[SeenWindow] = []
    """In the order they were seen."""
    evidence: Evidence | None = None
    """What the windows of the release watched last come to."""
    runs: list[StartedRun] = []
    """In the order they were asked for."""

    def seeing(self, drift: DriftResult, calm_windows: int) -> "WatchHistory":
        """The history with this window in it; a window seen before changes nothing."""
        if any(seen.window == drift.window and seen.release_id == drift.release_id for seen in self.windows):
            return self
        seen = SeenWindow(
            window=drift.window,
            release_id=drift.release_id,
            first=drift.first,
            last=drift.last,
            drifted=drift.drifted if drift.outcome == "measured" else None,
            believed=drift.believed,
        )
        before = self._evidence_of(drift.release_id) or Evidence(release_id=drift.release_id)
        return self._with(
            windows=[*self.windows, seen][-KEPT_WINDOWS:],
            evidence=before.after(seen, calm_windows),
        )

    def episode(self, release_id: str) -> Episode | None:
        """The release's drift that has not ended."""
        evidence = self._evidence_of(release_id)
        return evidence.episode if evidence is not None else None

    def _evidence_of(self, release_id: str) -> Evidence | None:
        return self.evidence if self.evidence is not None and self.evidence.release_id == release_id else None

    # ---- runs

    def starting(self, run: StartedRun) -> "WatchHistory":
        """The history with this run in it."""
        return self._with(runs=[*self.runs, run][-KEPT_RUNS:])

    def updating(self, run: StartedRun, **changes: Any) -> "WatchHistory":
        """The history with this run changed."""
        return self._with(runs=[one.model_copy(update=changes) if one == run else one for one in self.runs])

    def without(self, run: StartedRun) -> "WatchHistory":
        """The history as if the run had never been asked for."""
        return self._with(runs=[one for one in self.runs if one != run])

    def open_runs(self) -> list[StartedRun]:
        """Those still to be started or under way."""
        return [run for run in self.runs if run.open]

    def run_for(self, cause: str) -> StartedRun | None:
        """The run that already answers a cause."""
        return next((run for run in self.runs if cause in run.causes and run.state != "withdrawn"), None)

    def withdrawn_for(self, cause: str) -> list[StartedRun]:
        """Runs for a cause that failed or could not be started."""
        return [run for run in self.runs if cause in run.causes and run.state == "withdrawn"]

    def last_retrain(self) -> datetime | None:
        """When the newest retrain was asked for, withdrawn ones aside."""
        return max(
            (one.started for one in self.runs if one.action == "retrain" and one.state != "withdrawn"), default=None
        )

    def retrains_since(self, time: datetime) -> list[StartedRun]:
        """Retrains asked for after `time` that take from the budget."""
        return [run for run in self.runs if run.action == "retrain" and run.cost and run.started > time]

    def _with(self, **changes: Any) -> "WatchHistory":
        return self.model_copy(update=changes)


def read_history(path: Path) -> WatchHistory:
    """The history, empty before the first watch. Raises ConfigError for a file that is not one."""
    return load_config(WatchHistory, path) if path.is_file() else WatchHistory()


def write_history(path: Path, history: WatchHistory) -> None:
    """Replace the history in one step; call it within `alone`."""
    write_json(path, history.model_dump(mode="json"))


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep every other watch of this history out: reading, deciding and writing is one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
