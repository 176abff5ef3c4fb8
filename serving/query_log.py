"""The query log's writer: answers never wait for it, a kill leaves whole parts only."""

import logging
import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from lookalike.errors import LookalikeError, StorageError
from lookalike.search.answer import SearchAnswer
from lookalike.search.query_log import LoggedQuery, day_folder, query_log_table
from lookalike.search.query_log_keeping import QueryLogSettings, keep_query_log
from lookalike.storage import atomic_file

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


class QueryLog:
    """Collects answered queries and writes them as small parquet parts, by count or by time.

    A part appears whole under its name or not at all. What a killed process had not written yet is lost:
    at most `rows_per_part` queries or `seconds_per_part` of them. `close` writes the rest. Once a day the parts of
    finished days are joined and old days removed.
    """

    def __init__(
        self,
        folder: Path,
        settings: QueryLogSettings | None = None,
        now: Callable[[], datetime] = utc_now,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`draw` gives numbers in [0, 1): a query is logged where one is below the sampled share."""
        self._folder = folder
        self._settings = settings or QueryLogSettings()
        self._now = now
        self._draw = draw
        self._kept: date | None = None  # the last day on which old parts were looked after
        self._waiting: list[LoggedQuery] = []
        self._guard = threading.Lock()  # over _waiting
        self._writing = threading.Lock()  # one part at a time
        self._wake = threading.Event()
        self._closed = False
        self._parts = 0
        self._writer = threading.Thread(target=self._write_until_closed, name="query log", daemon=True)
        self._writer.start()

    def add(self, answer: SearchAnswer) -> None:
        """Keep what drift detection needs of an answer; product queries carry nothing to watch."""
        if answer.observation is None or self._draw() >= self._settings.sample:
            return
        query = LoggedQuery(
            time=self._now(),
            release_id=answer.release_id,
            model_fingerprint=answer.model_fingerprint,
            latency_ms=answer.timings_ms["total"],
            hits=tuple(hit.product_id for hit in answer.hits),
            observation=answer.observation,
        )
        with self._guard:
            self._waiting.append(query)
            full = len(self._waiting) >= self._settings.rows_per_part
        if full:
            self._wake.set()

    def flush(self) -> None:
        """Write what waits. A part that cannot be written is dropped and said so: the log must not fill the memory."""
        with self._writing:
            with self._guard:
                queries, self._waiting = self._waiting, []
            if not queries:
                return
            self._parts += 1
            name = f"part-{queries[0].time:%Y%m%dT%H%M%S%f}-{os.getpid()}-{self._parts:06d}.parquet"
            try:
                with atomic_file(day_folder(self._folder, queries[0].time.date()) / name) as aside:
                    pq.write_table(query_log_table(queries), aside, compression="zstd")
            except (OSError, StorageError) as error:
                logger.error("%d rows of the query log are lost: %s", len(queries), error)

    def close(self) -> None:
        """Write the rest and stop; adding afterwards is not allowed."""
        self._closed = True
        self._wake.set()
        self._writer.join()
        self.flush()

    def _write_until_closed(self) -> None:
        while not self._closed:
            self._wake.wait(self._settings.seconds_per_part)
            self._wake.clear()
            self.flush()
            self._keep()

    def _keep(self) -> None:
        """Look after old days, once a day; what goes wrong costs disk space and no query."""
        now = self._now()
        if now.date() == self._kept:
            return
        self._kept = now.date()
        try:
            keep_query_log(self._folder, self._settings, now)
        except (OSError, LookalikeError) as error:
            logger.error("old queries could not be put together or removed: %s", error)
