"""The writer of a log by day: answers never wait for it, a kill leaves whole parts only."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.errors import LookalikeError, StorageError
from lookalike.search.query_log import day_folder
from lookalike.search.query_log_keeping import keep_log
from lookalike.storage import atomic_file

logger = logging.getLogger(__name__)

Row = TypeVar("Row")


class PartSettings(Protocol):
    """When parts are written, and how long days are kept."""

    @property
    def rows_per_part(self) -> int: ...

    @property
    def seconds_per_part(self) -> float: ...

    @property
    def keep_days(self) -> int: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


class PartLog(Generic[Row]):
    """Collects rows and writes them as small parquet parts, by count or by time.

    A part appears whole under its name or not at all. What a killed process had not written yet is lost: at most
    `rows_per_part` rows or `seconds_per_part` of them. `close` writes the rest. Once a day the parts of finished days
    are joined and old days removed.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        table: Callable[[list[Row]], pa.Table],
        settings: PartSettings,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """`name` is what its lines in the service's log say; the time of `table`'s rows is its first column."""
        self._name = name
        self._folder = folder
        self._table = table
        self._settings = settings
        self._now = now
        self._kept: date | None = None  # the last day on which old parts were looked after
        self._waiting: list[Row] = []
        self._guard = threading.Lock()  # over _waiting
        self._writing = threading.Lock()  # one part at a time
        self._wake = threading.Event()
        self._closed = False
        self._parts = 0
        self._who = uuid4().hex[:8]  # replicas share the folder, and in containers each is process 1
        self._writer = threading.Thread(target=self._write_until_closed, name=name, daemon=True)
        self._writer.start()

    def add(self, rows: list[Row]) -> None:
        """Take rows in; they are written later."""
        with self._guard:
            self._waiting.extend(rows)
            full = len(self._waiting) >= self._settings.rows_per_part
        if full:
            self._wake.set()

    def flush(self) -> None:
        """Write what waits. A part that cannot be written is dropped and said so: the log must not fill the memory."""
        with self._writing:
            with self._guard:
                rows, self._waiting = self._waiting, []
            if not rows:
                return
            self._parts += 1
            table = self._table(rows)
            first = table.column(0)[0].as_py()
            name = f"part-{first:%Y%m%dT%H%M%S%f}-{self._who}-{self._parts:06d}.parquet"
            try:
                with atomic_file(day_folder(self._folder, first.date()) / name) as aside:
                    pq.write_table(table, aside, compression="zstd")
            except (OSError, StorageError) as error:
                logger.error("%d rows of the %s are lost: %s", len(rows), self._name, error)

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
        """Look after old days, once a day; what goes wrong costs disk space and no row."""
        now = self._now()
        if now.date() == self._kept:
            return
        self._kept = now.date()
        try:
            keep_log(self._folder, self._table([]).schema, self._settings.keep_days, now)
        except (OSError, LookalikeError) as error:
            logger.error("old parts of the %s could not be put together or removed: %s", self._name, error)
