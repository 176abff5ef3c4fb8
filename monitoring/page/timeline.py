"""The release's windows over time: every score against its threshold, what was believed, and the runs it started."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from monitoring.episode import SeenWindow
from monitoring.history import StartedRun

WIDTH, HEIGHT = 820, 200
"""Pixels of the plot, without the room for its labels."""
SHOWN = 120
"""Windows drawn: the newest."""
LEVELS = (0, 1, 2, 3, 5, 10, 30, 100, 300)
"""Scores that may be labelled."""
LETTERS = {"retrain": "R", "reindex": "I"}


@dataclass(frozen=True)
class Point:
    """One window."""

    x: float
    y: float | None
    """Of its score; None where it was not kept or nothing was measured."""
    threshold: float | None
    """Of its threshold."""
    kind: str
    """`drifted`, `calm`, or `unmeasured`."""
    believed: bool
    newest: bool
    seen: SeenWindow


@dataclass(frozen=True)
class Asked:
    """One run."""

    x: float
    letter: str
    run: StartedRun


@dataclass(frozen=True)
class Timeline:
    """Everything the drawing shows, in pixels from its upper left."""

    points: list[Point]
    runs: list[Asked]
    levels: list[tuple[float, int]]
    """Height and score of labelled lines."""
    times: list[tuple[float, str]]
    """Place and label of the first and the last moment."""
    words: str
    """What the drawing says, for who cannot see it."""
    width: int = WIDTH
    height: int = HEIGHT


def draw_timeline(windows: Sequence[SeenWindow], runs: Sequence[StartedRun], newest: SeenWindow) -> Timeline | None:
    """The timeline of the newest window's release; `windows` may or may not hold the newest. None without any time.

    Across is time, a window at its last query. Up is log(1 + score): surprise reaches hundreds, thresholds are near 2.
    """
    seen = _of_release(windows, newest)
    times = [_moment(str(one.last)) for one in seen]
    if not times:
        return None
    asked = [run for run in runs if run.started >= times[0]]
    across = _Scale([*times, *(run.started for run in asked)])
    highest = max([1.0, *(value for one in seen for value in (one.score, one.threshold) if value is not None)])
    points = [_point(one, across(time), highest, newest) for one, time in zip(seen, times, strict=True)]
    return Timeline(
        points=points,
        runs=[Asked(across(run.started), LETTERS[run.action], run) for run in asked],
        levels=[(upwards(level, highest), level) for level in _levels(highest)],
        times=across.ends(),
        words=_words(points, asked),
    )


def upwards(score: float, highest: float) -> float:
    """Pixels from the top: 0 at the bottom of the plot, `highest` a twentieth below its top."""
    return round(HEIGHT * (1 - 0.95 * float(np.log1p(score) / np.log1p(highest))), 1)


class _Scale:
    """From time to pixels from the left; a single moment is in the middle."""

    def __init__(self, times: Sequence[datetime]) -> None:
        self._first, self._last = min(times), max(times)
        self._span = self._last - self._first

    def __call__(self, time: datetime) -> float:
        return round(WIDTH * ((time - self._first) / self._span if self._span else 0.5), 1)

    def ends(self) -> list[tuple[float, str]]:
        form = "%Y-%m-%d %H:%M:%S" if self._span < timedelta(hours=1) else "%Y-%m-%d %H:%M"
        ends = [self._first, self._last] if self._span else [self._first]
        return [(self(end), f"{end:{form}}") for end in ends]


def _of_release(windows: Sequence[SeenWindow], newest: SeenWindow) -> list[SeenWindow]:
    """The newest of the release's windows that have a time, in its order, the newest last and once."""
    earlier = [one for one in windows if one.release_id == newest.release_id and one.window != newest.window]
    dated = [one for one in (*earlier, newest) if one.last is not None]
    return sorted(dated, key=lambda one: _moment(str(one.last)))[-SHOWN:]


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(UTC)


def _point(seen: SeenWindow, x: float, highest: float, newest: SeenWindow) -> Point:
    kind = "unmeasured" if seen.drifted is None else "drifted" if seen.drifted else "calm"
    score, threshold = (None if each is None else upwards(each, highest) for each in (seen.score, seen.threshold))
    return Point(x, score, threshold, kind, seen.believed, seen.window == newest.window, seen)


def _levels(highest: float) -> list[int]:
    """Labels that fit: none beyond the highest score, none nearer than a line of text to the one below."""
    kept = [0]
    for level in LEVELS[1:]:
        if level <= highest and upwards(kept[-1], highest) - upwards(level, highest) >= 14:
            kept.append(level)
    return kept


def _words(points: Sequence[Point], runs: Sequence[StartedRun]) -> str:
    counts = {kind: sum(point.kind == kind for point in points) for kind in ("drifted", "calm", "unmeasured")}
    told = [f"{len(points)} windows of this release, from {points[0].seen.last} to {points[-1].seen.last}"]
    told += [f"{counts['drifted']} drifted", f"{counts['calm']} did not"]
    told += [f"{counts['unmeasured']} had not enough traffic"] if counts["unmeasured"] else []
    told += [f"with {sum(point.believed for point in points)} of them drift was believed"]
    return "; ".join([*told, f"{len(runs)} runs were asked for"]) + "."
