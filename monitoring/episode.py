"""A drift episode: from the first alarm until enough calm windows, or until another release is in service."""

from datetime import datetime

from lookalike.config import StrictConfig
from lookalike.storage import digest_json
from monitoring.settings import MOST_VERDICTS


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
    score: float | None = None
    """What was measured, in powers of ten; null without a measurement."""
    threshold: float | None = None
    """What the score was compared with."""
    believed: bool | None = None
    """Whether the rule over several windows held with this one; null without a measurement."""


class Episode(StrictConfig):
    """Drift that has not ended."""

    id: str
    """The same for every window of the episode."""
    since: str | None
    """Time of the oldest query of its first window."""
    windows: int
    """How many windows it has lasted."""
    verdicts: tuple[bool, ...]
    """Whether each of its newest windows drifted, the newest last."""

    def drifted(self, newest: int) -> int:
        """How many of the newest windows drifted."""
        return sum(self.verdicts[-newest:])

    def after(self, drifted: bool, calm_windows: int) -> "Episode | None":
        """The episode with one more window; None where that window ends it."""
        verdicts = (*self.verdicts, drifted)[-MOST_VERDICTS:]
        if not any(verdicts[-calm_windows:]):
            return None
        return self.model_copy(update={"windows": self.windows + 1, "verdicts": verdicts})


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
        if self.episode is not None:
            episode = self.episode.after(seen.drifted, calm_windows)
        else:
            episode = _begun(seen) if seen.drifted else None
        return self.model_copy(update={"until": seen.last, "episode": episode})

    def _overlaps(self, seen: SeenWindow) -> bool:
        if self.until is None or seen.first is None:
            return False
        return datetime.fromisoformat(seen.first) <= datetime.fromisoformat(self.until)


def _begun(seen: SeenWindow) -> Episode:
    name = digest_json({"release": seen.release_id, "first window": seen.window})[:12]
    return Episode(id=name, since=seen.first, windows=1, verdicts=(True,))
