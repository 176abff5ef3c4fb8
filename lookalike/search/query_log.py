"""The query log as a table: what serving writes and monitoring reads. It holds no photos."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lookalike.errors import ArtifactError
from lookalike.observation import REFERENCE_SCHEMA, Observation, observations_table

PARTS = "part-*.parquet"
"""Finished parts; a part being written has another name until it is whole."""

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


def query_log_table(queries: list[LoggedQuery]) -> pa.Table:
    """Rows as a table of QUERY_LOG_SCHEMA."""
    observed = observations_table([query.observation for query in queries])
    own = [pa.array([getattr(query, name) for query in queries], kind) for name, kind in OWN_COLUMNS]
    return pa.Table.from_arrays([*own, *observed.columns], schema=QUERY_LOG_SCHEMA)


def read_query_log(folder: Path, release_id: str | None = None, since: datetime | None = None) -> pa.Table:
    """All finished parts, oldest query first; only one release's, or only from a time on (with time zone).

    A folder that does not exist yet is an empty log. Raises ArtifactError for a part of another schema.
    """
    parts = [_matching(part, release_id, since) for part in _tables(folder)]
    return pa.concat_tables([QUERY_LOG_SCHEMA.empty_table(), *parts]).sort_by("time")


def _tables(folder: Path) -> Iterator[pa.Table]:
    for path in sorted(folder.glob(PARTS)):
        with suppress(FileNotFoundError):  # retention may remove a part between the listing and the reading
            yield _read(path)


def _read(path: Path) -> pa.Table:
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
