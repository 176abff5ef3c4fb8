"""What a window is seen beside: earlier windows of the release, from the watch's history, and the newest catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lookalike.catalog.products import Catalogue
from monitoring.episode import SeenWindow
from monitoring.samples import Sample
from monitoring.windows import Span, Window


@dataclass(frozen=True)
class Beside:
    """What a window is seen beside."""

    earlier: tuple[SeenWindow, ...] = ()
    """Measured windows of the release before it, oldest first."""
    windows: tuple[Sample, ...] = ()
    """The queries of the last of them and of this one, which share no photo; empty where they are too few."""
    catalogue: Catalogue | None = None
    """The newest validated catalogue."""

    @property
    def verdicts(self) -> tuple[bool, ...]:
        """Those of the earlier windows."""
        return tuple(bool(window.drifted) for window in self.earlier)


def windows_before(seen: Sequence[SeenWindow], release_id: str, first: str | None) -> list[SeenWindow]:
    """The release's measured windows that ended before `first`, oldest first.

    Windows share no time with one another or with the newest: a watch more frequent than its window sees the same
    queries again, and twice the same is no second witness.
    """
    found: list[SeenWindow] = []
    for window in reversed(seen):
        told = window.release_id == release_id and window.drifted is not None
        if told and window.last is not None and first is not None and window.last < first:  # ISO 8601 sorts as time
            found.append(window)
            first = window.first
    return found[::-1]


def spans_of(earlier: Sequence[SeenWindow], window: Window) -> list[Span]:
    """When earlier windows and the newest one began and ended, oldest first."""
    times = [(seen.first, seen.last) for seen in earlier]
    before = [(datetime.fromisoformat(first), datetime.fromisoformat(last)) for first, last in times if first and last]
    return [*before, (window.first, window.last)] if window.first and window.last else before
