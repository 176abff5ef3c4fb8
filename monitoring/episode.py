"""A drift episode: from the first alarm until enough calm windows, or until another release is in service.

A window alarms by itself, or by what the rule over several windows says with it.
"""

from datetime import datetime

from lookalike.config import StrictConfig
from lookalike.storage import digest_json


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
    believed: bool = False
    """Whether the rule over several windows spoke of drift with it."""


class Episode(StrictConfig):
    """Drift that has not ended."""

    id: str
    """The same for every window of the episode."""
    since: str | None
    """Time of the oldest query of its first window."""
    windows: int = 0
    """How many windows it has lasted."""
    drifted: int = 0
    """How many of them drifted by themselves."""
    calm: int = 0
    """So many of its newest windows, in a row, neither drifted nor were believed."""
    believed: bool = False
    """Whether the rule over several windows spoke of drift with its newest window."""

    def after(self, seen: SeenWindow) -> "Episode":
        """The episode with one more window."""
        drifted = bool(seen.drifted)
        return self.model_copy(
            update={
                "windows": self.windows + 1,
                "drifted": self.drifted + drifted,
                "calm": 0 if drifted or seen.believed else self.calm + 1,
                "believed": seen.believed,
            }
        )


class Evidence(StrictConfig):
    """What the windows of one release say together, folded window by window, so that no window is ever needed again."""

    release_id: str
    """The release; another one's windows begin anew."""
    until: str | None = None
    """Time of the newest query counted. A window that begins earlier shows the same queries again."""
    episode: Episode | None = None
    """The drift that has not ended, if there is any."""

    def after(self, seen: SeenWindow, calm_windows: int) -> "Evidence":
        """The evidence with one more window: without traffic, or seen in part before, it changes nothing."""
        if seen.drifted is None or self._overlaps(seen):
            return self
        episode = self.episode
        if episode is None and (seen.drifted or seen.believed):
            episode = _begun(seen)
        episode = episode.after(seen) if episode is not None else None
        over = episode is not None and episode.calm >= calm_windows
        return self.model_copy(update={"until": seen.last, "episode": None if over else episode})

    def _overlaps(self, seen: SeenWindow) -> bool:
        if self.until is None or seen.first is None:
            return False
        return datetime.fromisoformat(seen.first) <= datetime.fromisoformat(self.until)


def _begun(seen: SeenWindow) -> Episode:
    name = digest_json({"release": seen.release_id, "first window": seen.window})[:12]
    return Episode(id=name, since=seen.first)
