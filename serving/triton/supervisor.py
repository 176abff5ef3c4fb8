"""Watches the model in service and heals it: Triton never restarts a dead worker, and calls its model ready."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.errors import DeadlineExceeded, LookalikeError
from serving.triton.admission import AdmittedEmbedder
from serving.triton.reload import NotNow, Reload
from serving.triton.supervision import OUTCOMES, Supervision

log = logging.getLogger(__name__)

HEALED, ELSEWHERE, FAILED = OUTCOMES


class SupervisionSettings(StrictConfig):
    """How often the model in Triton is proven, and how fast a sick one is loaded again."""

    heartbeat_seconds: float = Field(default=5.0, gt=0)
    """Between two looks at a healthy model; each costs three photos."""
    retry_seconds: float = Field(default=0.25, gt=0)
    """Between two looks at a model that is refused to shoppers, such as while Triton starts; never more often."""
    patience: int = Field(default=3, ge=1)
    """Golden photos may come too late so many times running, while nobody else is answered either, before the model
    counts as dead: a busy one is slow as well."""
    first_pause_seconds: float = Field(default=1.0, gt=0)
    """After a reload that did not help; each further one doubles it."""
    longest_pause_seconds: float = Field(default=60.0, gt=0)
    """Between two reloads that do not help."""


class Supervisor:
    """Proves the watched model by its golden photos, regularly and on suspicion; reloads it where that fails.

    Without a `reload`, because somebody else loads models, a sick model is refused until it is well.
    """

    def __init__(
        self,
        reload: Reload | None,
        settings: SupervisionSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reloads: Counter[str] = Counter({HEALED: 0, ELSEWHERE: 0, FAILED: 0})
        """Outcomes so far."""
        self.watched: AdmittedEmbedder | None = None
        """The model in service."""
        self._reload = reload
        self._settings = settings or SupervisionSettings()
        self._clock = clock
        self._sick_since: float | None = None
        self._late = 0
        self._pause = 0.0
        self._reload_at = float("-inf")
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="triton supervisor", daemon=True)

    def supervision(self) -> Supervision:
        """What it came to so far."""
        admitted = {} if self.watched is None else {self.watched.name: self.watched.refusal is None}
        return Supervision(admitted, Counter(self.reloads))

    def watch(self, model: AdmittedEmbedder) -> None:
        """From now on this is the model in service; the one before is left to its last requests."""
        before, self.watched = self.watched, model
        model.on_suspicion = self._wake.set
        if before is not None:
            before.on_suspicion = lambda: None
        self._recovered()
        self._wake.set()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop watching; a reload under way is finished first."""
        self._closed.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> None:
        """Prove the model once, and do what its answer asks for."""
        model = self.watched
        if model is None:
            return
        answers = model.answers
        try:
            model.prove()
        except DeadlineExceeded as error:
            self._was_late(model, error, answers)
        except LookalikeError as error:
            self._is_sick(model, error)
        else:
            self._recovered()

    def _run(self) -> None:
        while not self._closed.wait(self._settings.retry_seconds):
            if self._well():
                self._wake.wait(self._settings.heartbeat_seconds)
            self._wake.clear()
            try:
                self.look()
            except Exception:  # whatever happens, the next look must come
                log.exception("looking after the model in Triton failed")

    def _well(self) -> bool:
        return not self._late and (self.watched is None or self.watched.refusal is None)

    def _recovered(self) -> None:
        if self._sick_since is not None:
            name = "" if self.watched is None else self.watched.name
            log.warning("%s answers its golden photos again, after %.3g s", name, self._clock() - self._sick_since)
        self._sick_since = None
        self._late, self._pause, self._reload_at = 0, self._settings.first_pause_seconds, float("-inf")

    def _was_late(self, model: AdmittedEmbedder, error: LookalikeError, answers: int) -> None:
        self._late = 0 if model.answers > answers else self._late + 1
        if self._late >= self._settings.patience:
            self._is_sick(model, error)

    def _is_sick(self, model: AdmittedEmbedder, error: LookalikeError) -> None:
        if self._sick_since is None:
            self._sick_since = self._clock()
            log.error("%s is refused to shoppers: %s", model.name, error)
        model.refuse(str(error))
        if self._reload is None or self._clock() < self._reload_at:
            return
        try:
            reloaded = self._reload(model.name, model.prove)
        except NotNow as reason:
            log.debug("%s is not reloaded yet: %s", model.name, reason)
            return
        except LookalikeError as failure:
            self._not_helped(model, failure)
            return
        self.reloads[HEALED if reloaded else ELSEWHERE] += 1
        self._recovered()
        log.warning(
            "%s answers its golden photos again, %s", model.name, "reloaded" if reloaded else "healed elsewhere"
        )

    def _not_helped(self, model: AdmittedEmbedder, failure: LookalikeError) -> None:
        """Wait longer each time: a reload costs whoever else is served by this Triton."""
        self.reloads[FAILED] += 1
        self._reload_at = self._clock() + self._pause
        log.error("%s could not be healed, next reload in %.3g s: %s", model.name, self._pause, failure)
        self._pause = min(2 * self._pause, self._settings.longest_pause_seconds)
