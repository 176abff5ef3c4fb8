"""Clients that ask a running service without pause and remember every answer, right or wrong."""

import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

TIMEOUT_SECONDS = 30.0
SHOWN = 10
"""Products asked for with a product."""
ANSWERS_PER_SHOPPER = 3
ALIKE, OTHER = 0.7, 0.05
"""Chance of a click on a product that was looked at, by whether it agrees with the one asked with."""
CONTROL_EVERY = 20
"""A photo that was asked before comes so often again: within one release its answer may not change."""
NO_ANSWER = "no answer"


@dataclass(frozen=True)
class Asked:
    """One question and what became of it."""

    at: float
    """`time.monotonic` when it was sent."""
    seconds: float
    release: str | None
    """The release that answered."""
    fault: str | None = None
    """What is wrong with the answer, or that there was none; None where all is well."""


@dataclass
class Watchfulness:
    """What one client knows of earlier answers; it refuses those that mix releases or go back to an old one."""

    releases: list[str] = field(default_factory=list)
    answers: dict[tuple[str, str], list[tuple[str, float]]] = field(default_factory=dict)

    def fault(self, body: Mapping[str, Any], control: str | None) -> str | None:
        """What is wrong with an answer of status 200; `control` names a question that is asked again and again."""
        release, hits = str(body["release_id"]), [(hit["photo_id"], round(hit["score"], 4)) for hit in body["hits"]]
        if not hits:
            return "nothing was found"
        if release not in self.releases:
            self.releases.append(release)
        if release != self.releases[-1]:
            return f"release {release[:12]} answered after {self.releases[-1][:12]}"
        if control is not None and self.answers.setdefault((release, control), hits) != hits:
            return f"release {release[:12]} answered the same question in two ways"
        return None


class Client(threading.Thread):
    """Asks one question after the other until it is told to stop."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.asked: list[Asked] = []
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)
        self._known = Watchfulness()
        self._stopped = threading.Event()

    def run(self) -> None:
        with self._http:
            while not self._stopped.is_set():
                self.ask()

    def ask(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        """End after the question under way."""
        self._stopped.set()
        self.join()

    def send(self, method: str, path: str, control: str | None = None, **content: Any) -> httpx.Response | None:
        """Ask and remember; None where the answer is no good."""
        at, release, reply = time.monotonic(), None, None
        try:
            reply = self._http.request(method, path, **content)
            if reply.status_code == 200:
                release, fault = reply.json()["release_id"], self._known.fault(reply.json(), control)
            else:
                fault = f"status {reply.status_code}: {reply.text[:200]}"
        except httpx.HTTPError as error:
            fault = f"{NO_ANSWER}: {type(error).__name__} {error}"
        except (ValueError, LookupError) as error:  # whatever is answered, the client asks on
            fault = f"no readable answer: {type(error).__name__} {error}"
        self.asked.append(Asked(at, time.monotonic() - at, release, fault))
        return reply if fault is None else None


class PhotoClient(Client):
    """A buyer with a camera: other photos from the moment on when `shifted` is set."""

    def __init__(
        self, url: str, ordinary: Sequence[bytes], shifted: Sequence[bytes], shift: threading.Event, control: bytes
    ) -> None:
        super().__init__(url, "photos")
        self._photos: dict[bool, Iterator[bytes]] = {
            False: itertools.cycle(ordinary),
            True: itertools.cycle(shifted),
        }
        self._shift, self._control = shift, control
        self.shifted_at: float | None = None

    def ask(self) -> None:
        if len(self.asked) % CONTROL_EVERY == 0:
            self._search(self._control, "control")
            return
        shifted = self._shift.is_set()
        if shifted and self.shifted_at is None:
            self.shifted_at = time.monotonic()
        self._search(next(self._photos[shifted]), None)

    def _search(self, photo: bytes, control: str | None) -> None:
        self.send("POST", "/search", control, files={"photo": photo}, data={"k": "5"})


class ClickingClient(Client):
    """Shoppers who ask with products, look from the top and click what agrees with what they asked with."""

    def __init__(self, url: str, products: Sequence[str], kinds: Mapping[str, str], seed: int) -> None:
        super().__init__(url, "clicks")
        self._products, self._kinds = itertools.cycle(products), kinds
        self._rng = np.random.default_rng(seed)
        self.clicks = 0
        self.refused: list[str] = []
        """Why feedback was not taken in."""

    def ask(self) -> None:
        product = next(self._products)
        reply = self.send("GET", f"/products/{product}/similar", product, params={"k": SHOWN})
        if reply is None:
            return
        shown = [hit["product_id"] for hit in reply.json()["hits"]]
        session = f"shopper {len(self.asked) // ANSWERS_PER_SHOPPER}"
        events = [
            {
                "request_id": reply.headers["x-request-id"],
                "product_id": hit,
                "position": place,
                "kind": "click",
                "session": session,
            }
            for place, hit in enumerate(shown)
            if self._clicks(product, hit, place)
        ]
        if events:
            self._post(events)

    def _clicks(self, asked: str, hit: str, place: int) -> bool:
        wanted = ALIKE if self._kinds.get(hit) == self._kinds[asked] else OTHER
        return bool(self._rng.random() < wanted / (1 + place))

    def _post(self, events: list[dict[str, Any]]) -> None:
        try:
            told = self._http.post("/feedback", json={"events": events})
        except httpx.HTTPError as error:
            self.refused.append(f"{NO_ANSWER}: {type(error).__name__} {error}")
            return
        if told.status_code == 200:
            self.clicks += len(events)
        else:
            self.refused.append(f"status {told.status_code}: {told.text[:200]}")
