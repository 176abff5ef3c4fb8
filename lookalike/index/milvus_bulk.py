"""Filling a collection of a Milvus server from files that it imports, instead of upserts.

The server itself knows what it imported: it lists the tasks of a collection by file, and a file's name is a digest of
what it holds. So filling that was interrupted goes on where it stopped, and no photo is imported twice.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pymilvus import BulkInsertState, MilvusClient

from lookalike.errors import BackendUnavailable, VectorIndexError
from lookalike.index.milvus_rows import batch_table
from lookalike.index.protocol import GalleryBatch
from lookalike.index.staging import BulkSettings, Staging
from lookalike.progress import progress
from lookalike.storage import digest_bytes

POLL_SECONDS = 0.5
FAILED = (BulkInsertState.ImportFailed, BulkInsertState.ImportFailedAndCleaned)
SETTLED = (BulkInsertState.ImportCompleted, *FAILED)


@dataclass(frozen=True)
class BulkImport:
    """The imports into one collection that exists and is not finished."""

    client: MilvusClient
    collection: str
    settings: BulkSettings
    request_seconds: float
    """How long one request may take."""

    def known(self) -> dict[str, Any]:
        """The server's tasks for this collection, as it stands now, by file; failed ones are not among them."""
        tasks = self._handler.list_bulk_insert_tasks(0, self.collection, timeout=self.request_seconds)
        return {task.files: task for task in tasks if task.state not in FAILED}

    def fits(self) -> bool:
        """Whether all the collection holds came from tasks the server still knows; it forgets them after a day.

        Tasks of an interrupted filling that fail only now stop nothing: they leave no rows, and their files are tried
        again.
        """
        for _ in self._settled(self.known()):
            pass
        self.client.flush(self.collection)
        held = int(self.client.get_collection_stats(self.collection, timeout=self.request_seconds)["row_count"])
        return held == sum(task.row_count for task in self.known().values())

    def run(self, batches: Iterable[GalleryBatch]) -> int:
        """Import checked batches, photo ids unique among all of them; returns how many photos there are."""
        staging, known, wanted = Staging(self.settings, self.collection), self.known(), dict[str, Any]()
        rows = 0
        for table in _tables(batches, self.settings.rows):
            content = _parquet(table)
            file = staging.put(f"{digest_bytes(content)}.parquet", content)
            wanted[file] = known.get(file) or self._begin(file)
            rows += len(table)
        self.finish(wanted)
        staging.clear()
        return rows

    def finish(self, tasks: dict[str, Any]) -> None:
        """Wait until every task is done. Raises VectorIndexError where one fails, BackendUnavailable after too long."""
        for task in self._settled(tasks):
            if task.state in FAILED:
                raise VectorIndexError(f"Milvus could not import {task.files}: {task.failed_reason}")

    def _settled(self, tasks: dict[str, Any]) -> Iterator[Any]:
        """Each task as it ends, well or not."""
        waiting = {getattr(task, "task_id", task) for task in tasks.values()}
        for _ in progress(range(len(waiting)), "importing files"):
            task = self._next_settled(waiting)
            waiting.remove(task.task_id)
            yield task

    def _next_settled(self, waiting: set[int]) -> Any:
        deadline = time.monotonic() + self.settings.timeout_seconds
        while True:
            for number in waiting:
                task = self._handler.get_bulk_insert_state(number, timeout=self.request_seconds)
                if task.state in SETTLED:
                    return task
            if time.monotonic() > deadline:
                raise BackendUnavailable(
                    f"Milvus finished none of {len(waiting)} files for {self.collection} within "
                    f"{self.settings.timeout_seconds:g} s; it goes on with them: run again to wait for it"
                )
            time.sleep(POLL_SECONDS)

    def _begin(self, file: str) -> int:
        return int(self._handler.do_bulk_insert(self.collection, "", [file], timeout=self.request_seconds))

    @property
    def _handler(self) -> Any:
        """MilvusClient offers imports over HTTP only, which a server of 2.3 does not have."""
        return self.client._get_connection()


def _tables(batches: Iterable[GalleryBatch], size: int) -> Iterator[pa.Table]:
    """The batches' rows in tables of `size` rows, the last one smaller."""
    held, rows = list[pa.Table](), 0
    for batch in batches:
        held.append(batch_table(batch))
        rows += len(held[-1])
        while rows >= size:
            joined = pa.concat_tables(held)
            yield joined.slice(0, size)
            held, rows = [joined.slice(size)], rows - size
    if rows:
        yield pa.concat_tables(held)


def _parquet(table: pa.Table) -> bytes:
    """The same bytes for the same rows, however they are spread over chunks."""
    sink = pa.BufferOutputStream()
    pq.write_table(table.combine_chunks(), sink)
    return bytes(sink.getvalue())
