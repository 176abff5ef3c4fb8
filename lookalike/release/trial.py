"""A release on trial beside the one in service: `releases/trial.json` while it lasts, then a line of its own history.

Whoever ends a trial first ends it for all: the record is moved, and only one can move it.
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from lookalike.config import StrictConfig, load_config
from lookalike.errors import ReleaseError
from lookalike.release.manifest import Release, live_release, load_release
from lookalike.storage import write_json

TRIAL = "trial.json"
ENDED = "trial-*.json"

Mode = Literal["canary", "shadow"]
Outcome = Literal["promoted", "ended", "rolled back"]


class Trial(StrictConfig):
    """Which release is tried, and on how much of the traffic."""

    release_id: str
    mode: Mode
    """`canary` lets it answer its share of the requests; `shadow` asks it too and shows its answers to nobody."""
    share: float = Field(gt=0, le=1)
    """Share of the requests it meets."""
    started: str
    """UTC time, ISO 8601."""


class EndedTrial(StrictConfig):
    """What became of a trial."""

    trial: Trial
    outcome: Outcome
    reasons: tuple[str, ...]
    ended: str
    """UTC time, ISO 8601."""


def start_trial(
    releases: Path, release: Release, mode: Mode, share: float, now: datetime, again: bool = False
) -> Trial:
    """Try a saved release, or change the share of the one that is tried.

    Raises ReleaseError where nothing is in service to try it against, where it is itself in service, where another one
    is tried, and, unless `again`, where a trial of it was rolled back before.
    """
    live, running = live_release(releases), running_trial(releases)
    name = release.release_id[:12]
    if live is None:
        raise ReleaseError(f"release {name} cannot be tried: nothing is in service beside it")
    if live.release_id == release.release_id:
        raise ReleaseError(f"release {name} cannot be tried: it is in service already")
    if running is not None and running.release_id != release.release_id:
        raise ReleaseError(f"release {running.release_id[:12]} is on trial; end that before {name} is tried")
    before = [ended for ended in ended_trials(releases, release) if ended.outcome == "rolled back"]
    if before and not again:
        raise ReleaseError(f"release {name} was rolled back on {before[-1].ended}: {'; '.join(before[-1].reasons)}")
    trial = Trial(release_id=release.release_id, mode=mode, share=share, started=now.isoformat(timespec="microseconds"))
    write_json(releases / TRIAL, trial.model_dump())
    return trial


def running_trial(releases: Path) -> Trial | None:
    """The trial under way."""
    path = releases / TRIAL
    return load_config(Trial, path) if path.is_file() else None


def tried_release(releases: Path) -> Release | None:
    """The release on trial."""
    trial = running_trial(releases)
    return None if trial is None else load_release(releases, trial.release_id)


def end_trial(releases: Path, trial: Trial, outcome: Outcome, reasons: tuple[str, ...], now: datetime) -> bool:
    """End this trial and keep what became of it in its release's folder; False where somebody else did before."""
    if running_trial(releases) != trial:
        return False
    record = releases / trial.release_id / ENDED.replace("*", now.strftime("%Y%m%dT%H%M%S%f"))
    try:
        (releases / TRIAL).rename(record)
    except FileNotFoundError:
        return False
    ended = EndedTrial(trial=trial, outcome=outcome, reasons=reasons, ended=now.isoformat(timespec="seconds"))
    write_json(record, ended.model_dump(mode="json"))
    return True


def ended_trials(releases: Path, release: Release) -> list[EndedTrial]:
    """Former trials of a release, oldest first; one whose end was interrupted in mid-writing is left out."""
    found = []
    for path in sorted((releases / release.release_id).glob(ENDED)):
        if b'"outcome"' in path.read_bytes():
            found.append(load_config(EndedTrial, path))
    return found
