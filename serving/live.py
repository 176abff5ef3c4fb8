"""The engine of the live release, changed while searches go on."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lookalike.deadline import Clock
from lookalike.errors import LookalikeError
from lookalike.release.manifest import LIVE, Release, live_release
from lookalike.search.answer import SearchAnswer
from lookalike.search.product import ProductAnswer
from lookalike.search.query import SearchRequest

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """Answers from one release, under the deadline in force; a SearchEngine here or in other processes."""

    @property
    def release(self) -> Release: ...

    @property
    def provider(self) -> str | None: ...

    def search(self, request: SearchRequest) -> SearchAnswer: ...

    def product(self, product_id: str) -> ProductAnswer: ...

    def holds(self, photo_id: str) -> bool: ...

    def degraded(self) -> tuple[str, ...]: ...


MakeEngine = Callable[[Release], Engine]
"""Loads and proves a release's model, collection and features; raises LookalikeError when one is not right."""


class MakeAnyEngine(Protocol):
    """The same, and for a release that is only `tried` beside the live one."""

    def __call__(self, release: Release, tried: bool = False) -> Engine: ...


class LiveEngine:
    """Watches `live.json`, makes the engine of a new release aside and swaps one reference.

    A request takes `current` once and keeps it to its end, so no answer mixes releases; the old engine goes
    away with its last request. A release that cannot be loaded leaves the old one in service.
    """

    file = LIVE
    """What is watched, under `releases`."""

    def __init__(
        self,
        releases: Path,
        make_engine: MakeEngine,
        poll_seconds: float = 1.0,
        retry_seconds: float = 30.0,
        clock: Clock = time.monotonic,
    ) -> None:
        self.releases = releases
        self._make_engine = make_engine
        self._poll_seconds = poll_seconds
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._seen: tuple[int, int] | None = None  # of the live.json that was acted on
        self._failed: tuple[int, int] | None = None  # of the live.json that could not be followed
        self._retry_at = 0.0
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="live release", daemon=True)
        self.current: Engine | None = None
        """The engine to answer with; None until a release was loaded."""

    def wanted(self) -> Release | None:
        """The release that the file names."""
        return live_release(self.releases)

    def load(self) -> bool:
        """Follow the file now; False when it names no release. Raises LookalikeError, keeping the old."""
        seen = _version(self.releases / self.file)
        release = self.wanted()
        if release is None:
            self._seen = seen
            return False
        if self.current is None or self.current.release != release:
            started = self._clock()
            self.current = self._make_engine(release)
            spent = self._clock() - started
            logger.info("release %s is in service, loaded in %.1f s", release.release_id[:12], spent)
        self._seen = seen
        return True

    def look(self) -> None:
        """Load when the file changed; a failure is logged and tried again after `retry_seconds`."""
        version = _version(self.releases / self.file)
        if version == self._seen or (version == self._failed and self._clock() < self._retry_at):
            return
        self._failed, self._retry_at = version, self._clock() + self._retry_seconds
        kept = self.current.release.release_id[:12] if self.current else "none"
        try:
            self.load()
        except LookalikeError as error:
            logger.error("the live release cannot be loaded, still serving %s: %s", kept, error)
        except Exception:  # whatever a part raises, the watcher must live to see the next switch
            logger.exception("loading the live release failed, still serving %s", kept)

    def start(self) -> None:
        """Begin to watch."""
        self._watcher.start()

    def close(self) -> None:
        """Stop watching; a release being loaded is finished first."""
        self._stopped.set()
        if self._watcher.ident is not None:
            self._watcher.join()

    def _watch(self) -> None:
        while not self._stopped.wait(self._poll_seconds):
            self.look()


def _version(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced: cheap enough to ask every second."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino
