"""A release on trial in the service: its engine beside the live one, who meets it, and its end when it is worse."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable, LookalikeError, ReleaseMismatch
from lookalike.release.manifest import Release
from lookalike.release.trial import TRIAL, Trial, end_trial, running_trial, tried_release
from lookalike.search.answer import SearchAnswer
from lookalike.search.cursor import RELEASE_LETTERS, release_letters
from lookalike.search.query import SearchRequest
from serving.canary import Arm, arm_of
from serving.live import Engine, LiveEngine
from serving.live_comparison import Comparison, Observed, judge_live
from serving.part_log import utc_now
from serving.trial_settings import TrialSettings

logger = logging.getLogger(__name__)

OUTAGES = (BackendUnavailable, ReleaseMismatch)
"""Failures of an engine; everything else is the caller's own mistake, which every engine refuses alike."""


class TriedEngine(LiveEngine):
    """The engine of the release on trial; none while nothing is tried."""

    file = TRIAL

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.trial: Trial | None = None
        """What `current` is tried for."""

    def wanted(self) -> Release | None:
        return tried_release(self.releases)

    def load(self) -> bool:
        """Follow `trial.json` now; False when nothing is tried, and then there is no engine either."""
        trial = running_trial(self.releases)
        if super().load():
            self.trial = trial
            return True
        self.current, self.trial = None, None
        return False


class Trials:
    """Decides which engine a request meets, and watches both. Used from several threads."""

    def __init__(
        self,
        tried: TriedEngine,
        settings: TrialSettings | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.tried = tried
        self._settings = settings or TrialSettings()
        self._now = now
        self._guard = threading.Lock()  # over what follows
        self._compared: Trial | None = None
        self.comparison = Comparison()
        """Both arms of the newest trial so far."""
        self._shadow = ThreadPoolExecutor(1, thread_name_prefix="shadow")
        self._room = threading.BoundedSemaphore(self._settings.shadow_waiting + 1)

    def answers(self, champion: Engine, requests: Sequence[SearchRequest], request_id: str) -> list[SearchAnswer]:
        """The answers of whoever this request meets, all of one engine; what a challenger fails, the champion answers.

        Raises what the champion raises.
        """
        trial, challenger = self._met(champion, requests, request_id)
        if challenger is not None and trial is not None and trial.mode == "canary":
            try:
                return [self._observed("challenger", challenger, request, trial) for request in requests]
            except OUTAGES as error:
                logger.warning("the release on trial failed a request, which the champion answers: %s", error)
        elif challenger is not None and trial is not None:
            self._ask_beside(challenger, requests, trial)
        return [self._observed("champion", champion, request, self.tried.trial) for request in requests]

    def start(self) -> None:
        """Begin to watch for trials."""
        self.tried.start()

    def close(self) -> None:
        """Stop watching; what is asked in the shadow is finished first."""
        self.tried.close()
        self._shadow.shutdown(wait=True)

    def _met(
        self, champion: Engine, requests: Sequence[SearchRequest], request_id: str
    ) -> tuple[Trial | None, Engine | None]:
        """The trial and its engine where this request is one of its share."""
        trial, challenger = self.tried.trial, self.tried.current
        if trial is None or challenger is None or trial.release_id != challenger.release.release_id:
            return None, None
        if trial.release_id == champion.release.release_id or not _meets(trial, requests, request_id):
            return None, None
        return trial, challenger

    def _ask_beside(self, challenger: Engine, requests: Sequence[SearchRequest], trial: Trial) -> None:
        """In a thread of its own and while there is room; nobody waits for it."""
        if not self._room.acquire(blocking=False):
            return

        def ask() -> None:
            with Deadline.after(self._settings.shadow_seconds).in_force(), contextlib.suppress(LookalikeError):
                for request in requests:
                    self._observed("challenger", challenger, request, trial)

        self._shadow.submit(ask).add_done_callback(lambda _: self._room.release())

    def _observed(self, arm: Arm, engine: Engine, request: SearchRequest, trial: Trial | None) -> SearchAnswer:
        if trial is None:
            return engine.search(request)
        started = time.perf_counter()
        try:
            answer = engine.search(request)
        except OUTAGES:
            self._compare(trial, arm, Observed(failed=True, latency_ms=1_000 * (time.perf_counter() - started)))
            raise
        top = answer.hits[0].score if answer.hits else None
        self._compare(trial, arm, Observed(False, answer.timings_ms["total"], len(answer.hits), top))
        return answer

    def _compare(self, trial: Trial, arm: Arm, observed: Observed) -> None:
        rails = self._settings.guardrails
        with self._guard:
            if trial != self._compared:
                self._compared, self.comparison = trial, Comparison()
            self.comparison = self.comparison.after(arm, observed, rails)
            verdict = judge_live(self.comparison, rails)
        if verdict.roll_back and trial == self.tried.trial:
            self._roll_back(trial, verdict.reasons)

    def _roll_back(self, trial: Trial, reasons: tuple[str, ...]) -> None:
        self.tried.trial = None  # from here on nobody meets it; the watcher lets the engine go
        if end_trial(self.tried.releases, trial, "rolled back", reasons, self._now()):
            logger.error("release %s on trial is rolled back: %s", trial.release_id[:12], "; ".join(reasons))


def _meets(trial: Trial, requests: Sequence[SearchRequest], request_id: str) -> bool:
    """A next page stays with the release that gave the first: another one would refuse its cursor."""
    for request in requests:
        if request.cursor is not None:
            return release_letters(request.cursor) == trial.release_id[:RELEASE_LETTERS]
    return arm_of(request_id, trial.share, trial.release_id) == "challenger"
