"""The query log as a table: what serving writes and monitoring and feedback read. It holds no photos.

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
    ("scores", pa.list_(pa.float32())),  # the hits' cosines, as the release's model has them
    ("request_id", pa.string()),  # which feedback names; null where the caller was told none
    ("product_id", pa.string()),  # the product asked with; null for a photo
]
QUERY_LOG_SCHEMA = pa.schema([*OWN_COLUMNS, *REFERENCE_SCHEMA])


@dataclass(frozen=True)
class LoggedQuery:
    """One answered query: of a photo, with its observation, or of a product, which has nothing to be watched."""

    time: datetime
    """In UTC, with its time zone."""
    release_id: str
    model_fingerprint: str
    latency_ms: float
    hits: tuple[str, ...]
    observation: Observation | None
    scores: tuple[float, ...] = ()
    """Cosines, one per hit."""
    request_id: str | None = None
    product_id: str | None = None


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
    """Rows as a table of QUERY_LOG_SCHEMA, in the order of their times; null is whatever was not observed."""
    watched = [query for query in queries if query.observation is not None]
    observed = observations_table([query.observation for query in watched if query.observation is not None])
    rows = _own_columns(watched)
    for place, name in enumerate(REFERENCE_SCHEMA.names):
        rows = rows.append_column(REFERENCE_SCHEMA.field(name), observed.column(place))
    others = _own_columns([query for query in queries if query.observation is None])
    return pa.concat_tables([rows, others], promote_options="default").cast(QUERY_LOG_SCHEMA).sort_by("time")


def _own_columns(queries: list[LoggedQuery]) -> pa.Table:
    schema = pa.schema(OWN_COLUMNS)
    return pa.Table.from_arrays(
        [pa.array([getattr(query, name) for query in queries], kind) for name, kind in OWN_COLUMNS], schema=schema
    )


def read_query_log(
    folder: Path, release_id: str | None = None, since: datetime | None = None, photos_only: bool = True
) -> pa.Table:
    """All finished parts, oldest query first; only one release's, or only from a time on (with time zone).

    Products asked with are left out, since nothing of them is watched, unless `photos_only` is false. A folder that
    does not exist yet is an empty log. Raises ArtifactError for a part of another schema.
    """
    table = read_days(folder, QUERY_LOG_SCHEMA, since)
    if release_id is not None:
        table = table.filter(pc.equal(table["release_id"], release_id))
    return table.filter(pc.is_valid(table["vector"])) if photos_only else table


def read_days(folder: Path, schema: pa.Schema, since: datetime | None = None) -> pa.Table:
    """All finished parts of a log by day, by the time in the schema's first column. Raises ArtifactError."""
    time = schema.names[0]
    for _ in range(READS):
        try:
            parts = [_from(read_part(path, schema), time, since) for path in _listed(folder, since)]
            return pa.concat_tables([schema.empty_table(), *parts]).sort_by(time)
        except FileNotFoundError:  # a day's parts were joined, or removed, since they were listed
            continue
    raise ArtifactError(f"the log {folder} changed under {READS} readings; read it again")


def _listed(folder: Path, since: datetime | None) -> list[Path]:
    """The parts of the days that reach to `since`. A part is filed under the day of its first query, so the queries
    of a day's first minutes may be with the day before."""
    first = None if since is None else (since.astimezone(UTC)).date().toordinal() - 1
    days = [path for path in sorted(folder.glob(DAYS)) if (day := day_of(path)) and (first or 0) <= day.toordinal()]
    return [part for path in days for part in sorted(path.glob(PARTS))]


def read_part(path: Path, schema: pa.Schema = QUERY_LOG_SCHEMA) -> pa.Table:
    """One part. Raises ArtifactError for a torn or foreign one."""
    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowInvalid as error:
        raise ArtifactError(f"{path} is not a part of a query log or of feedback: {error}") from error
    if table.schema.names != schema.names:
        raise ArtifactError(f"{path} has columns {table.schema.names}; the log has {schema.names}")
    return table.cast(schema)


def _from(table: pa.Table, time: str, since: datetime | None) -> pa.Table:
    if since is None:
        return table
    return table.filter(pc.greater_equal(table[time], pa.scalar(since, pa.timestamp("us", tz="UTC"))))
