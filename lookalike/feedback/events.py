"""Feedback as a table: what shoppers clicked and bought, as the service writes it.

feedback/day=2026-11-21/part-*.parquet    the events of a day in UTC, in small parts, later in one
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.search.query_log import read_days

Kind = Literal["click", "purchase"]

FEEDBACK_SCHEMA = pa.schema(
    [
        ("received", pa.timestamp("us", tz="UTC")),  # by the service's own clock, which no caller sets
        ("time", pa.timestamp("us", tz="UTC")),  # as the caller says; null where it does not
        ("request_id", pa.string()),  # of the answer
        ("product_id", pa.string()),
        ("position", pa.int32()),  # from 0, in the answer
        ("kind", pa.string()),
        ("caller", pa.string()),  # holder of the API key; null where none is asked for
        ("session", pa.string()),  # digest of what the caller calls the shopper; null where it says nothing
    ]
)


class FeedbackSettings(StrictConfig):
    """How feedback is kept."""

    rows_per_part: int = Field(default=1_000, ge=1)
    """Events after which a part is written."""
    seconds_per_part: float = Field(default=10.0, gt=0)
    """Seconds after which a part is written, however small; a killed server loses no more than that."""
    keep_days: int = Field(default=90, ge=1)
    """Days after which events are removed; as long as the queries they belong to."""
    most_events: int = Field(default=100, ge=1)
    """Events in one request."""
    request_bytes: int = Field(default=65_536, ge=256)
    """Largest request."""


@dataclass(frozen=True)
class Feedback:
    """One event; the fields are the columns of FEEDBACK_SCHEMA."""

    received: datetime
    time: datetime | None
    request_id: str
    product_id: str
    position: int
    kind: Kind
    caller: str | None = None
    session: str | None = None


def feedback_table(events: list[Feedback]) -> pa.Table:
    """Rows as a table of FEEDBACK_SCHEMA."""
    columns = [pa.array([getattr(event, field.name) for event in events], field.type) for field in FEEDBACK_SCHEMA]
    return pa.Table.from_arrays(columns, schema=FEEDBACK_SCHEMA)


def read_feedback(folder: Path, since: datetime | None = None) -> pa.Table:
    """All finished parts, oldest event first; only from a time on (with time zone). No folder is no feedback.

    Raises ArtifactError for a part of another schema.
    """
    return read_days(folder, FEEDBACK_SCHEMA, since)
