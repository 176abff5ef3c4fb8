"""One photo of a catalogue at a time, by its id, while a shopper looks at a page of them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lookalike.catalog.products import PHOTOS


class PhotoLookup:
    """Encoded photos of the validated catalogues in a folder, read from where they lie; safe from several threads.

    The folder is a validated catalogue itself or holds several, such as a shop's workspace: the newest that has the
    photo gives it. A catalogue that is replaced or added is seen at the next look.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[Path, int, int], _PhotoFile] = {}

    def read(self, photo_id: str) -> bytes | None:
        """The encoded photo as delivered; None where no catalogue has it."""
        found = (file.read(photo_id) for file in self._files())
        return next((content for content in found if content is not None), None)

    def _files(self) -> "list[_PhotoFile]":
        """Newest first. What was opened stays open, but for files that are gone."""
        paths = [path for path in self._folder.rglob(PHOTOS) if not any(part.startswith(".") for part in path.parts)]
        stamps = [(path, status.st_mtime_ns, status.st_ino) for path in paths for status in [path.stat()]]
        self._open = {stamp: self._open.get(stamp) or _PhotoFile(stamp[0]) for stamp in stamps}
        return [self._open[stamp] for stamp in sorted(stamps, key=lambda stamp: -stamp[1])]


@dataclass(frozen=True)
class _PhotoFile:
    """A file of photos; only the ids and where each part begins are kept in memory."""

    path: Path

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
