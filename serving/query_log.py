"""What of an answer is logged: enough to watch for drift, and to know later what was clicked."""

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lookalike.search.answer import SearchAnswer
from lookalike.search.query import SearchRequest
from lookalike.search.query_log import LoggedQuery, query_log_table
from lookalike.search.query_log_keeping import QueryLogSettings
from serving.part_log import PartLog, utc_now


class QueryLog:
    """Keeps answered queries as small parquet parts; see `PartLog`."""

    def __init__(
        self,
        folder: Path,
        settings: QueryLogSettings | None = None,
        now: Callable[[], datetime] = utc_now,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`draw` gives numbers in [0, 1): a query is logged where one is below the sampled share."""
        self._settings = settings or QueryLogSettings()
        self._now = now
        self._draw = draw
        self._parts = PartLog("query log", folder, query_log_table, self._settings, now)

    def add(self, answer: SearchAnswer, request: SearchRequest, request_id: str | None = None) -> None:
        """Keep a first page: what drift detection needs of a photo's, what feedback needs of any."""
        first = answer.observation is not None or (request.product_id is not None and request.cursor is None)
        if not first or self._draw() >= self._settings.sample:
            return
        query = LoggedQuery(
            time=self._now(),
            release_id=answer.release_id,
            model_fingerprint=answer.model_fingerprint,
            latency_ms=answer.timings_ms["total"],
            hits=tuple(hit.product_id for hit in answer.hits),
            observation=answer.observation,
            scores=tuple(hit.score for hit in answer.hits),
            request_id=request_id,
            product_id=request.product_id,
        )
        self._parts.add([query])

    def flush(self) -> None:
        """Write what waits."""
        self._parts.flush()

    def close(self) -> None:
        """Write the rest and stop; adding afterwards is not allowed."""
        self._parts.close()
