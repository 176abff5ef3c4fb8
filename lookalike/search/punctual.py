"""Features in time or not at all: a slow or broken feature store costs an answer its features, never the answer."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from lookalike.deadline import Deadline
from lookalike.features.protocol import FeatureLookup, Features

logger = logging.getLogger(__name__)


class PunctualFeatures:
    """Asks a FeatureLookup from a few threads and stops waiting at the deadline.

    A store that ignores its own deadline keeps its thread until it answers; once all threads are kept,
    every lookup is late at once, so a hanging store cannot pile up work.
    """

    def __init__(self, lookup: FeatureLookup, deadline_seconds: float, threads: int = 8) -> None:
        self._lookup = lookup
        self._deadline = deadline_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="features")

    def features(self, product_ids: Sequence[str], deadline: Deadline) -> Features:
        """Features of the products that were known and in time; the reason for an absence is logged."""
        if not product_ids:
            return {}
        seconds = deadline.within(self._deadline)
        answer = self._threads.submit(self._lookup.lookup, product_ids, seconds)
        try:
            failure = answer.exception(timeout=seconds)
        except TimeoutError:
            answer.cancel()
            logger.warning("features of %d products were not there within %.3g s", len(product_ids), seconds)
            return {}
        if failure is not None:
            logger.warning("features of %d products are absent: %s", len(product_ids), failure)
            return {}
        return answer.result()
