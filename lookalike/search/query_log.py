"""The query log as a table: what serving writes and monitoring reads. It holds no photos.

query_log/day=2026-11-21/part-*.parquet    the queries of a day in UTC, in small parts, later in one
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lookalike.errors import ArtifactError
from lookalike.observation import REFERENCE_SCHEMA, Observation, observations_table

DAYS = "day=*"
PARTS = "part-*.parquet"
"""Finished parts; a part being written has another name until it is whole."""
READS = 10
"""How often a reading begins again because parts were joined or removed under it."""

OWN_COLUMNS = [
    ("time", pa.timestamp("us", tz="UTC")),  # when the answer was given
    ("release_id", pa.string()),
    ("model_fingerprint", pa.string()),
    ("latency_ms", pa.float32()),  # of the whole search
    ("hits", pa.list_(pa.string())),  # product ids, best first
]
QUERY_LOG_SCHEMA = pa.schema([*OWN_COLUMNS, *REFERENCE_SCHEMA])


@dataclass(frozen=True)
class LoggedQuery:
    """One answered photo query."""

    time: datetime
    """In UTC, with its time zone."""
    release_id: str
    model_fingerprint: str
    latency_ms: float
    hits: tuple[str, ...]
    observation: Observation


def day_folder(folder: Path, day: date) -> Path:
    """Where the queries of a day are."""
    return folder / f"day={day.isoformat()}"


def day_of(folder: Path) -> date | None:
    """The day of a day's folder; None for a folder that is none."""
    try:
        return date.fromisoformat(folder.name.removeprefix("day="))
    except ValueError:
        return None


def query_log_table(queries: list[LoggedQuery]) -> pa.Table:
    """Rows as a table of QUERY_LOG_SCHEMA."""
    observed = observations_table([query.observation for query in queries])
    own = [pa.array([getattr(query, name) for query in queries], kind) for name, kind in OWN_COLUMNS]
    return pa.Table.from_arrays([*own, *observed.columns], schema=QUERY_LOG_SCHEMA)


def read_query_log(folder: Path, release_id: str | None = None, since: datetime | None = None) -> pa.Table:
    """All finished parts, oldest query first; only one release's, or only from a time on (with time zone).

    A folder that does not exist yet is an empty log. Raises ArtifactError for a part of another schema.
    """
    for _ in range(READS):
        try:
            parts = [_matching(read_part(path), release_id, since) for path in _listed(folder, since)]
            return pa.concat_tables([QUERY_LOG_SCHEMA.empty_table(), *parts]).sort_by("time")
        except FileNotFoundError:  # a day's parts were joined, or removed, since they were listed
            continue
    raise ArtifactError(f"the query log {folder} changed under {READS} readings; read it again")


def _listed(folder: Path, since: datetime | None) -> list[Path]:
    """The parts of the days that reach to `since`. A part is filed under the day of its first query, so the queries
    of a day's first minutes may be with the day before."""
    first = None if since is None else (since.astimezone(UTC)).date().toordinal() - 1
    days = [path for path in sorted(folder.glob(DAYS)) if (day := day_of(path)) and (first or 0) <= day.toordinal()]
    return [part for path in days for part in sorted(path.glob(PARTS))]


def read_part(path: Path) -> pa.Table:
    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowInvalid as error:
        raise ArtifactError(f"{path} is not a part of a query log: {error}") from error
    if table.schema.names != QUERY_LOG_SCHEMA.names:
        raise ArtifactError(f"{path} has columns {table.schema.names}; a query log has {QUERY_LOG_SCHEMA.names}")
    return table.cast(QUERY_LOG_SCHEMA)


def _matching(table: pa.Table, release_id: str | None, since: datetime | None) -> pa.Table:
    if release_id is not None:
        table = table.filter(pc.equal(table["release_id"], release_id))
    if since is not None:
        table = table.filter(pc.greater_equal(table["time"], pa.scalar(since, pa.timestamp("us", tz="UTC"))))
    return table
