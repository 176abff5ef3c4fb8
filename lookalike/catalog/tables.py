"""A catalogue's files: found in a folder or at a URL, read as tables with the mapped columns."""

import difflib
import hashlib
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from lookalike.catalog.mapping import CatalogueMapping, mapping_for_columns
from lookalike.catalog.photo_sources import filesystem_of
from lookalike.config import load_config, parse_config
from lookalike.errors import CatalogueError

MAPPING_FILES = ("mapping.yaml", "mapping.yml", "mapping.json")
TABLES = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True)
class CatalogueFiles:
    """The files of a catalogue, found but not read."""

    filesystem: Any
    root: str
    files: list[str]
    queries: list[str]
    mapping: CatalogueMapping

    @classmethod
    def find(cls, uri: str, mapping_file: Path | None) -> "CatalogueFiles":
        """Look a catalogue up: a file, or the folder's files that its mapping picks. Raises CatalogueError."""
        filesystem, path = filesystem_of(uri)
        if not filesystem.exists(path):
            raise CatalogueError(f"there is no catalogue at {uri}")
        single = not filesystem.isdir(path)
        root = posixpath.dirname(path) if single else path.rstrip("/")
        mapping = load_config(CatalogueMapping, mapping_file) if mapping_file else _own_mapping(filesystem, root)
        if mapping is None:
            candidates = [path] if single else _tables(filesystem, root, "*")
            if not candidates:
                raise CatalogueError(f"{uri} holds no {' or '.join(TABLES)} file")
            mapping = mapping_for_columns(_read_table(filesystem, candidates[0]).column_names)
        files = [path] if single else _tables(filesystem, root, mapping.files)
        queries = _tables(filesystem, root, mapping.query_photos) if mapping.query_photos else []
        files = [name for name in files if name not in queries]
        if not files:
            raise CatalogueError(f"{uri} holds no {' or '.join(TABLES)} file that fits files: '{mapping.files}'")
        return cls(filesystem, filesystem.unstrip_protocol(root), files, queries, mapping)

    def table(self) -> pa.Table:
        """The catalogue's files below one another, only the mapped columns."""
        tables = [_read_table(self.filesystem, name) for name in self.files]
        picked = [_pick(table, self.mapping.columns(), name) for table, name in zip(tables, self.files, strict=True)]
        return _below(picked, self.files)

    def query_table(self) -> pa.Table:
        """The query photos: ids and those of the image columns that are there, at least one."""
        picked = []
        for name in self.queries:
            table = _read_table(self.filesystem, name)
            present = [column for column in self.mapping.image if column in table.column_names]
            picked.append(_pick(table, [self.mapping.id, *(present or self.mapping.image[:1])], name))
        return _below(picked, self.queries)

    def digest(self) -> str:
        """SHA-256 over the files' names and bytes."""
        digest = hashlib.sha256()
        for name in self.files + self.queries:
            with self.filesystem.open(name, "rb") as file:
                digest.update(posixpath.basename(name).encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def _own_mapping(filesystem: Any, root: str) -> CatalogueMapping | None:
    for name in MAPPING_FILES:
        path = posixpath.join(root, name)
        if filesystem.isfile(path):
            try:
                values = yaml.safe_load(filesystem.cat_file(path))
            except (yaml.YAMLError, UnicodeDecodeError) as error:
                raise CatalogueError(f"{path} is not valid YAML: {error}") from error
            return parse_config(CatalogueMapping, values, path)
    return None


def _tables(filesystem: Any, root: str, pattern: str) -> list[str]:
    return sorted(name for name in filesystem.glob(posixpath.join(root, pattern)) if name.endswith(TABLES))


def _read_table(filesystem: Any, path: str) -> pa.Table:
    try:
        with filesystem.open(path, "rb") as file:
            if path.endswith(".parquet"):
                return pq.read_table(file)
            # Everything stays text: an id of 007 is not the number 7.
            frame = pd.read_csv(
                file, dtype=str, keep_default_na=False, compression="gzip" if path[-3:] == ".gz" else None
            )
            return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, OSError, EOFError) as error:  # pandas' parser errors are ValueErrors
        raise CatalogueError(f"{path} cannot be read as a table: {error}") from error


def _below(tables: Sequence[pa.Table], files: Sequence[str]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise CatalogueError(f"the files {list(files)} hold different types in one column: {error}") from error


def _pick(table: pa.Table, columns: Sequence[str], path: str) -> pa.Table:
    missing = [column for column in columns if column not in table.column_names]
    if not missing:
        return table.select(list(columns))
    hints = []
    for column in missing:
        close = difflib.get_close_matches(column, table.column_names, n=3, cutoff=0.5)
        hints.append(f"'{column}'" + (f" (did you mean {' or '.join(repr(c) for c in close)}?)" if close else ""))
    raise CatalogueError(f"{path} has no column {', '.join(hints)}; its columns are {sorted(table.column_names)}")
