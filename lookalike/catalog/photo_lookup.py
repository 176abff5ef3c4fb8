"""One photo of a catalogue at a time, by its id, while a shopper looks at a page of them."""

import math
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lookalike.catalog.products import PHOTOS
from lookalike.deadline import Clock


class PhotoLookup:
    """Encoded photos of the validated catalogues in a folder, read from where they lie; safe from several threads.

    The folder is a validated catalogue itself or holds several, such as a shop's workspace: the newest that has the
    photo gives it. A catalogue that is replaced is read anew at once, one that is added within `look_seconds`.
    """

    def __init__(self, folder: Path, look_seconds: float = 5.0, clock: Clock = time.monotonic) -> None:
        self._folder = folder
        self._look_seconds = look_seconds
        self._clock = clock
        self._look_at = -math.inf
        self._files: list[_PhotoFile] = []  # replaced whole, newest first

    def read(self, photo_id: str) -> bytes | None:
        """The encoded photo as delivered; None where no catalogue has it."""
        if self._clock() >= self._look_at or any(file.changed for file in self._files):
            self._files, self._look_at = self._look(), self._clock() + self._look_seconds
        found = (file.read(photo_id) for file in self._files)
        return next((content for content in found if content is not None), None)

    def _look(self) -> "list[_PhotoFile]":
        """What was opened before and has not changed stays open."""
        inside = (path.relative_to(self._folder) for path in self._folder.rglob(PHOTOS))
        paths = [self._folder / path for path in inside if not any(part.startswith(".") for part in path.parts)]
        seen = [_PhotoFile(path, _stamp(path)) for path in paths]
        opened = {file: file for file in self._files}
        return [opened.get(file, file) for file in sorted(seen, key=lambda file: file.stamp, reverse=True)]


@dataclass(frozen=True)
class _PhotoFile:
    """A file of photos; only the ids and where each part begins are kept in memory."""

    path: Path
    stamp: tuple[int, int]

    @property
    def changed(self) -> bool:
        """Whether the file is gone or another one since it was seen."""
        return not self.path.is_file() or _stamp(self.path) != self.stamp

    def read(self, photo_id: str) -> bytes | None:
        row = pc.index(self._ids, pa.scalar(photo_id, pa.string())).as_py()
        if row < 0:
            return None
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        with pq.ParquetFile(self.path, metadata=self._metadata, memory_map=True) as file:
            content = file.read_row_group(part, columns=["content"])["content"]
        return bytes(content[row - self._starts[part]].as_py())

    @cached_property
    def _metadata(self) -> pq.FileMetaData:
        return pq.read_metadata(self.path)

    @cached_property
    def _ids(self) -> pa.ChunkedArray:
        return pq.read_table(self.path, columns=["photo_id"])["photo_id"]

    @cached_property
    def _starts(self) -> list[int]:
        """The first row of every part."""
        counts = [self._metadata.row_group(part).num_rows for part in range(self._metadata.num_row_groups)]
        return [0, *np.cumsum(counts)[:-1].tolist()]


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file is replaced, the time first."""
    status = path.stat()
    return status.st_mtime_ns, status.st_ino
