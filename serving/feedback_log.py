"""Where feedback is written: beside the query log, in the same way."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lookalike.feedback.events import Feedback, FeedbackSettings, feedback_table
from serving.part_log import PartLog, utc_now


class FeedbackLog:
    """Keeps events as small parquet parts; see `PartLog`."""

    def __init__(self, folder: Path, settings: FeedbackSettings, now: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.now = now
        self._parts = PartLog("feedback", folder, feedback_table, settings, now)

    def add(self, events: list[Feedback]) -> None:
        """Take events in; they are written later."""
        self._parts.add(events)

    def flush(self) -> None:
        """Write what waits."""
        self._parts.flush()

    def close(self) -> None:
        """Write the rest and stop; adding afterwards is not allowed."""
        self._parts.close()


def feedback_log(folder: Path | None, settings: FeedbackSettings) -> FeedbackLog | None:
    """None where no folder is named."""
    return None if folder is None else FeedbackLog(folder, settings)
