"""What earlier watches saw and started: one small file that outlives every run of the watch."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from lookalike.config import StrictConfig, load_config
from lookalike.storage import digest_json
from monitoring.result import DriftResult

Action = Literal["retrain", "reindex", "watch"]
KEPT_WINDOWS = 1000
"""Windows remembered; an hourly watch looks back six weeks."""


class SeenWindow(StrictConfig):
    """One window an earlier watch compared."""

    window: str
    """Digest of its rows."""
    release_id: str
    """Release it was compared with."""
    first: str | None
    """Time of its oldest query."""
    last: str | None
    """Time of its newest query."""
    drifted: bool | None
    """The verdict; null when there was not enough traffic to say."""


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


class Episode(StrictConfig):
    """Drift that has not ended: the drifted windows of one release since its last clean one."""

    id: str
    """The same for every window of the episode."""
    windows: int
    """How many of its windows share no time with one another."""
    since: str | None
    """Time of its oldest query."""


class WatchHistory(StrictConfig):
    """Everything remembered between watches."""

    windows: list[SeenWindow] = []
    """In the order they were seen."""
    runs: list[StartedRun] = []
    """In the order they were asked for."""

    def seeing(self, drift: DriftResult) -> "WatchHistory":
        """The history with this window in it; a window seen before changes nothing."""
        if any(seen.window == drift.window and seen.release_id == drift.release_id for seen in self.windows):
            return self
        verdict = drift.drifted if drift.outcome == "measured" else None
        seen = SeenWindow(**drift.model_dump(include={"window", "release_id", "first", "last"}), drifted=verdict)
        return self.model_copy(update={"windows": [*self.windows, seen][-KEPT_WINDOWS:]})

    def starting(self, run: StartedRun) -> "WatchHistory":
        """The history with this run in it."""
        return self.model_copy(update={"runs": [*self.runs, run]})

    def without(self, run: str) -> "WatchHistory":
        """The history without the run of that name, so that its causes may be answered again."""
        return self.model_copy(update={"runs": [one for one in self.runs if one.name != run]})

    def episode(self, release_id: str) -> Episode | None:
        """The release's unfinished drift episode; windows without traffic neither lengthen nor end it."""
        said = [seen for seen in self.windows if seen.release_id == release_id and seen.drifted is not None]
        clean = [place for place, seen in enumerate(said) if not seen.drifted]
        streak = said[clean[-1] + 1 :] if clean else said
        if not streak:
            return None
        name = digest_json({"release": release_id, "first window": streak[0].window})[:12]
        return Episode(id=name, windows=_disjoint(streak), since=streak[0].first)

    def run_for(self, cause: str) -> StartedRun | None:
        """The run that already answers a cause."""
        return next((run for run in self.runs if cause in run.causes), None)

    def last_retrain(self) -> datetime | None:
        """When the newest retrain was asked for."""
        return max((run.started for run in self.runs if run.action == "retrain"), default=None)


def _disjoint(streak: list[SeenWindow]) -> int:
    """Windows that share no rows; a watch more frequent than its window sees the same queries again."""
    count, end = 0, ""
    for seen in streak:
        if seen.first is not None and seen.last is not None and seen.first > end:  # ISO 8601 in UTC sorts as time
            count, end = count + 1, seen.last
    return count


def read_history(path: Path) -> WatchHistory:
    """The history, empty before the first watch. Raises ConfigError for a file that is not one."""
    return load_config(WatchHistory, path) if path.is_file() else WatchHistory()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep every other watch of this history out: reading, deciding and writing is one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
