"""Features in time or not at all: a slow or broken feature store costs an answer its features, never the answer."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable
from lookalike.features.protocol import FeatureLookup, Features
from lookalike.search.breaker import Breaker
from lookalike.search.guard import Guard

logger = logging.getLogger(__name__)


class PunctualFeatures:
    """Asks a FeatureLookup from a few threads and stops waiting at the deadline.

    A store that ignores its own deadline keeps its thread until it answers; once all threads are kept,
    every lookup is late at once, so a hanging store cannot pile up work. A store that keeps failing is not asked
    for a while, and answers go without waiting for it.
    """

    def __init__(
        self, lookup: FeatureLookup, deadline_seconds: float, breaker: Breaker | None = None, threads: int = 8
    ) -> None:
        self.guard = Guard("the feature store", breaker or Breaker(), deadline_seconds)
        self._lookup = lookup
        self._seconds = deadline_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="features")
        self._free = threading.BoundedSemaphore(threads)

    def features(self, product_ids: Sequence[str]) -> Features:
        """Features of the products that were known and in time; the reason for an absence is logged."""
        if not product_ids or not self.guard.breaker.asked_now():
            return {}
        try:
            return self.guard.ask(lambda: self._punctually(product_ids))
        except BackendUnavailable as error:
            logger.warning("features of %d products are absent: %s", len(product_ids), error)
            return {}

    def _punctually(self, product_ids: Sequence[str]) -> Features:
        seconds = Deadline.current().within(self._seconds)
        answer = self._begin(product_ids, seconds)
        try:
            failure = answer.exception(timeout=seconds)
        except TimeoutError as error:
            answer.cancel()
            raise BackendUnavailable(f"the feature store did not answer within {seconds:.3g} s") from error
        if failure is not None:  # whatever a store raises, an answer does without it
            raise BackendUnavailable(f"the feature store failed: {failure}") from failure
        return answer.result()

    def _begin(self, product_ids: Sequence[str], seconds: float) -> "Future[Features]":
        if not self._free.acquire(blocking=False):
            raise BackendUnavailable("the feature store still works on earlier lookups")
        answer = self._threads.submit(self._lookup.lookup, product_ids, seconds)
        answer.add_done_callback(lambda _: self._free.release())
        return answer
