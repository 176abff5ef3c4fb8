"""A release's table into the online store, batch by batch, from where an interrupted filling stopped."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import chain, pairwise
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lookalike.errors import BackendUnavailable
from lookalike.features.feast_import import online_parts
from lookalike.features.history import PRODUCT_ID, TIMESTAMP
from lookalike.progress import progress
from lookalike.storage import read_json, write_json

WRITE_SECONDS = 30.0
"""A Redis that takes longer over a batch has failed."""


@dataclass(frozen=True)
class Progress:
    """How far the filling of a table has come; it lies beside the table until the release's features are complete."""

    table: str
    """Digest of the table; the progress of another one is void."""
    rows: int
    """Rows of the table that are written."""
    served: bool
    """Whether the release's features had been complete before, as when a lost store is filled again."""


@dataclass(frozen=True)
class Filled:
    """What one filling came to."""

    rows: int
    """Rows written by it."""
    resumed_from: int
    """Rows that an interrupted one had passed."""
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0


def progress_file(table: Path) -> Path:
    """Where the progress of filling a table is noted."""
    return table.with_suffix(".filling.json")


def noted_progress(table: Path) -> Progress | None:
    """The progress of a filling that is not finished."""
    file = progress_file(table)
    return Progress(**read_json(file)) if file.is_file() else None


def note_progress(table: Path, reached: Progress) -> None:
    """Note how far it has come, whole or not at all."""
    write_json(progress_file(table), asdict(reached))


def fill(
    store: Any,
    table: Path,
    batch: int,
    since: pd.Timestamp | None = None,
    skip: int = 0,
    passed: Callable[[int], None] = lambda rows: None,
) -> Filled:
    """Write the newest row of every product, or of those that changed after `since`, to the release's view.

    `passed` is told after every batch how many rows of the table are done; `skip` is such a number of an earlier
    filling. Written again, a row changes nothing. Raises BackendUnavailable when the store fails.
    """
    started, view = time.perf_counter(), store.get_feature_view(table.stem)
    parts = online_parts(store.config, WRITE_SECONDS)
    done = written = 0
    with pq.ParquetFile(table) as file:
        batches = pairwise(chain(file.iter_batches(batch_size=batch), [None]))
        for part, ahead in progress(batches, f"features of {table.stem}", ceil(file.metadata.num_rows / batch)):
            done += part.num_rows
            if done <= skip:
                continue
            rows = _newest(part, ahead, since)
            try:
                parts.store.online_write_batch(store.config, view, parts.rows(rows, view), None)
            except Exception as error:  # each online store has its own exceptions
                raise BackendUnavailable(f"the feature store stopped filling {table.stem}: {error}") from error
            written += rows.num_rows
            passed(done)
    return Filled(written, skip, time.perf_counter() - started)


def _newest(part: pa.RecordBatch, ahead: pa.RecordBatch | None, since: pd.Timestamp | None) -> pa.RecordBatch:
    """The last row of every product; tables are in order of product and time, and `ahead` is what follows."""
    ids, stamped = part.column(PRODUCT_ID), part.column(TIMESTAMP)
    following = pa.concat_arrays(
        [ids[1:], pa.array([None], ids.type) if ahead is None else ahead.column(PRODUCT_ID)[:1]]
    )
    last = pc.fill_null(pc.not_equal(ids, following), True)
    return part.filter(last if since is None else pc.and_(last, pc.greater(stamped, pa.scalar(since, stamped.type))))
