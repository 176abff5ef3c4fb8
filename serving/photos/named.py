"""Photos that answers have named lately: these are searched, and whoever shows an answer asks for them at once."""

import threading
import time
from collections import OrderedDict

from lookalike.deadline import Clock


class NamedPhotos:
    """Remembers ids for some seconds; safe from several threads."""

    def __init__(self, seconds: float = 60.0, most: int = 20_000, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._named: OrderedDict[str, float] = OrderedDict()  # the time of each, the oldest first
        self._guard = threading.Lock()

    def add(self, photo_id: str) -> None:
        with self._guard:
            self._named.pop(photo_id, None)
            self._named[photo_id] = self._clock()
            while len(self._named) > self._most:
                self._named.popitem(last=False)

    def __contains__(self, photo_id: str) -> bool:
        with self._guard:
            named = self._named.get(photo_id)
        return named is not None and self._clock() - named < self._seconds
