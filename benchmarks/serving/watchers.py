"""Clients of every protocol that ask without end and hold each answer to the known right one."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from benchmarks.serving.protocols import AT_ONCE, PROTOCOLS, Asker, asking
from benchmarks.serving.service import Service
from benchmarks.serving.truth import Truth, full

GOOD, DEGRADED, FAILED, WRONG = "good", "degraded", "failed", "wrong"


@dataclass(frozen=True)
class Event:
    """One request."""

    protocol: str
    began: float
    """Seconds of the monotonic clock, like `ended`."""
    ended: float
    outcome: str
    """GOOD, DEGRADED (right, but without its features), FAILED or WRONG."""
    said: str
    """What was wrong, or the status."""
    release: str
    """The release that answered; empty where none did."""


class Watchers:
    """Clients under way, and what they met so far."""

    def __init__(self, service: Service, photos: Sequence[bytes], truth: Truth, k: int, think_seconds: float) -> None:
        self._service, self._photos, self._truth, self._k = service, photos, truth, k
        self._think = think_seconds
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(each,), daemon=True) for each in PROTOCOLS]
        self._failure: BaseException | None = None
        self.events: list[Event] = []

    @property
    def release(self) -> str:
        """The release that answered last."""
        return next((event.release for event in reversed(self.events) if event.release), "")

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[Event]:
        """End the clients; everything they met, in order. Raises what ended one of them before."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        return sorted(self.events, key=lambda event: event.ended)

    def _watch(self, protocol: str) -> None:
        random = np.random.default_rng([PROTOCOLS.index(protocol), 7])
        try:
            with asking(protocol, self._service, self._k) as ask:
                while not self._stop.wait(random.exponential(self._think)):
                    chosen = random.integers(len(self._photos), size=AT_ONCE[protocol]).tolist()
                    self.events.append(self._asked(protocol, ask, chosen))
        except BaseException as error:
            self._failure = error
            raise

    def _asked(self, protocol: str, ask: Asker, chosen: Sequence[int]) -> Event:
        began = time.monotonic()
        reply = ask([self._photos[photo] for photo in chosen])
        ended = time.monotonic()
        if not reply.answers:
            return Event(protocol, began, ended, FAILED, reply.status, "")
        release = reply.answers[0]["release_id"]
        wrong = [self._truth.wrong(photo, answer) for photo, answer in zip(chosen, reply.answers, strict=True)]
        if len({answer["release_id"] for answer in reply.answers}) > 1:
            wrong.append("one request was answered by two releases")
        if any(wrong):
            return Event(protocol, began, ended, WRONG, next(filter(None, wrong)), release)
        return Event(protocol, began, ended, GOOD if all(map(full, reply.answers)) else DEGRADED, reply.status, release)


@contextmanager
def watching(
    service: Service, photos: Sequence[bytes], truth: Truth, k: int, think_seconds: float
) -> Iterator[Watchers]:
    """Clients that ask until they are stopped, at the latest with the block."""
    with ExitStack() as ending:
        watchers = Watchers(service, photos, truth, k, think_seconds)
        watchers.start()
        ending.callback(watchers._stop.set)
        yield watchers


def until(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Poll with a deadline."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come about within {seconds:g} s")
        time.sleep(0.01)
