"""A place that this process writes files to and a vector store reads them from: a bucket, or a folder both see."""

from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError


class BulkSettings(StrictConfig):
    """How a Milvus server is filled from files."""

    staging: str = Field(min_length=1)
    """Folder or fsspec URL that files are laid in for the server: in the bucket of its storage
    (`s3://bucket/folder`), or, where it keeps its data on a local disk, a folder on that disk."""
    seen_as: str = ""
    """The same place as the server names it; empty: its path within the bucket, or on the disk."""
    rows: int = Field(default=100_000, ge=1)
    """Photos per file; a server takes a file of up to 16 GB as one task."""
    timeout_seconds: float = Field(default=1_800.0, gt=0)
    """How long the server may take without finishing any file."""


class Staging:
    """The files of one collection there."""

    def __init__(self, settings: BulkSettings, collection: str) -> None:
        """Raises ConfigError for an address that no installed driver knows."""
        try:
            self._files, root = url_to_fs(settings.staging)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"the staging place {settings.staging!r} cannot be opened: {error}") from error
        self._folder = f"{root.rstrip('/')}/{collection}"
        self._seen_as = f"{(settings.seen_as or self._path_within(root)).rstrip('/')}/{collection}"

    def put(self, name: str, content: bytes) -> str:
        """Lay down a file, whole or not at all, where it is not there yet; returns what the server calls it."""
        path = f"{self._folder}/{name}"
        if not self._files.exists(path):
            self._files.makedirs(self._folder, exist_ok=True)
            self._files.pipe_file(f"{path}.partial", content)
            self._files.mv(f"{path}.partial", path)  # a rename on a disk; a bucket shows whole objects alone
        return f"{self._seen_as}/{name}"

    def clear(self) -> None:
        """Remove everything laid down for this collection."""
        if self._files.exists(self._folder):
            self._files.rm(self._folder, recursive=True)

    def _path_within(self, root: str) -> str:
        """A bucket's name is not part of the path in it."""
        local: Any = isinstance(self._files, LocalFileSystem)
        return root if local else root.lstrip("/").partition("/")[2]
