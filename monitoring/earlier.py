"""What earlier windows of the release said, from the watch's history."""

from collections.abc import Sequence

from monitoring.episode import SeenWindow


def verdicts_before(seen: Sequence[SeenWindow], release_id: str, first: str | None) -> list[bool]:
    """Verdicts of the release's windows that ended before `first`, oldest first.

    Windows share no time with one another or with the newest: a watch more frequent than its window sees the same
    queries again, and twice the same is no second witness.
    """
    found: list[bool] = []
    for window in reversed(seen):
        told = window.release_id == release_id and window.drifted is not None
        if told and window.last is not None and first is not None and window.last < first:  # ISO 8601 sorts as time
            found.append(bool(window.drifted))
            first = window.first
    return found[::-1]
