"""Keeping a log by day small, of queries or of feedback: the parts of a finished day become one, and old days go.

Readers see every row once, before, while and after a day's parts are joined. One lock, a file of the log's folder,
keeps joining, removing and erasing apart, in this process and in others.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.search.query_log import DAYS, PARTS, QUERY_LOG_SCHEMA, day_of, read_part
from lookalike.storage import atomic_folder, remove_folder

logger = logging.getLogger(__name__)

LOCK = ".lock"
FINISHED = timedelta(days=1, hours=1)
"""After its beginning, when nobody writes to a day any more: a part is filed under the day of its first query."""


class QueryLogSettings(StrictConfig):
    """What of the queries is logged, and for how long."""

    sample: float = Field(default=1.0, gt=0, le=1)
    """Share of photo queries that is logged, drawn at random; drift is watched on what is logged."""
    rows_per_part: int = Field(default=1_000, ge=1)
    """Queries after which a part is written."""
    seconds_per_part: float = Field(default=10.0, gt=0)
    """Seconds after which a part is written, however small; a killed server loses no more than that."""
    keep_days: int = Field(default=90, ge=1)
    """Days after which queries are removed; drift looks back hours, a review of a release weeks."""


@contextmanager
def keeping(folder: Path) -> Iterator[None]:
    """Nobody else joins, removes or erases parts of this log meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        yield


def keep_query_log(folder: Path, settings: QueryLogSettings, now: datetime) -> None:
    """Remove the days past `keep_days`, and join the parts of every finished day. `now` has a time zone."""
    keep_log(folder, QUERY_LOG_SCHEMA, settings.keep_days, now)


def keep_log(folder: Path, schema: pa.Schema, keep_days: int, now: datetime) -> None:
    """The same for any log by day, whose time is the schema's first column."""
    oldest = now.astimezone(UTC).date() - timedelta(days=keep_days)
    with keeping(folder):
        for path in sorted(folder.glob(DAYS)):
            day = day_of(path)
            if day is None:
                continue
            if day < oldest:
                remove_folder(path)
                logger.info("%s: %s is removed, %d days are kept", folder.name, day, keep_days)
            elif datetime(day.year, day.month, day.day, tzinfo=UTC) + FINISHED <= now:
                _join(path, schema)


def _join(day: Path, schema: pa.Schema) -> None:
    """Make a day's parts one, in the order of time, seen in one step."""
    parts = sorted(day.glob(PARTS))
    if len(parts) < 2:
        return
    table = pa.concat_tables([read_part(part, schema) for part in parts]).sort_by(schema.names[0])
    with atomic_folder(day) as aside:
        pq.write_table(table, aside / "part-joined.parquet", compression="zstd")
