"""Where a catalogue's photos come from: bytes in the row, a path beside the catalogue, or a URL."""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec
import numpy as np
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from lookalike.errors import CatalogueError, ImageError, PhotoTooLarge
from lookalike.storage import digest_bytes

OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory")
"""Schemes of storage that belongs to the catalogue's owner and needs the owner's credentials."""


@dataclass(frozen=True)
class RawPhoto:
    """One photo as delivered."""

    row: int
    """Row of the catalogue, counted from 0 over all files in the order of their names; -1: a query photo."""
    product_id: str | None
    """The product it shows, None where the row has no id."""
    position: int
    """0 is the first photo of the row; negative: a query photo."""
    source: object
    """Encoded bytes, a path, a URL, or whatever else stood in the cell."""


def cell_sources(cell: Any, missing: frozenset[str]) -> Iterator[object]:
    """The photos in one cell: bytes, text, a Hugging Face struct {bytes, path}, or a list of any of them."""
    if isinstance(cell, dict):
        yield from cell_sources(cell.get("bytes") or cell.get("path"), missing)
    elif isinstance(cell, (list, tuple, np.ndarray)):
        for part in cell:
            yield from cell_sources(part, missing)
    elif isinstance(cell, str):
        if cell.strip().casefold() not in missing:
            yield cell.strip()
    elif cell is not None and cell == cell:  # NaN is an empty cell
        yield bytes(cell) if isinstance(cell, (bytearray, memoryview)) else cell


def filesystem_of(url: str) -> tuple[Any, str]:
    """The fsspec filesystem of a path or URL, and the path in it. Raises CatalogueError where there is none."""
    try:
        return url_to_fs(url)
    except (ImportError, ValueError) as error:  # the driver is not installed; the scheme is unknown
        raise CatalogueError(f"{url} cannot be opened: {error}") from error


class PhotoStore:
    """Fetches photos named by a stranger's catalogue, within its owner's bounds."""

    def __init__(self, root: str, hosts: Sequence[str], max_bytes: int) -> None:
        """`root`: folder or URL that relative paths start from and local paths must stay in; `hosts`: web
        hosts that photos may be fetched from; `max_bytes`: more than this is never read."""
        self._files, self._root = filesystem_of(root)
        self._hosts = tuple(host.casefold() for host in hosts)
        self._max_bytes = max_bytes

    def read(self, source: object) -> bytes:
        """The encoded photo. Raises ImageError where it is missing, refused, or not something to read."""
        if isinstance(source, bytes):
            return source
        if not isinstance(source, str):
            raise ImageError(f"the image cell holds {type(source).__name__}; bytes, a path or a URL is accepted")
        files, path = self._locate(source)
        try:
            with files.open(path, "rb") as file:
                content = file.read(self._max_bytes + 1)
        except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
            raise ImageError(f"the photo '{source}' cannot be read: {error}") from error
        if len(content) > self._max_bytes:
            raise PhotoTooLarge(f"the photo '{source}' has more than {self._max_bytes} bytes")
        return content

    def version(self, source: object) -> str | None:
        """A mark that changes with a referenced photo (size, time, ETag); None for bytes and what cannot be read."""
        if not isinstance(source, str):
            return None
        try:
            files, path = self._locate(source)
            return str(files.ukey(path))
        except (ImageError, OSError, ValueError):
            return None  # reported when the photo is read

    def content_mark(self, source: object) -> str | None:
        """A mark that changes exactly with a photo's bytes where they are in the row or on this machine, else its
        address and `version`; None for what cannot be read."""
        try:
            if isinstance(source, bytes) or (isinstance(source, str) and self._on_this_machine(source)):
                return digest_bytes(self.read(source))
        except ImageError:
            return None  # reported when the photo is read
        return f"{source} {self.version(source)}" if isinstance(source, str) else None

    def _on_this_machine(self, source: str) -> bool:
        return isinstance(self._locate(source)[0], LocalFileSystem)

    def _locate(self, source: str) -> tuple[Any, str]:
        scheme, separator, rest = source.partition("://")
        if not separator:
            return self._files, self._inside(source)
        if scheme == "file" and isinstance(self._files, LocalFileSystem):
            return self._files, self._inside(rest)
        if "::" in source or (scheme not in OBJECT_STORES and not self._web_allowed(scheme, source)):
            raise ImageError(
                f"the photo '{source}' is refused; accepted: paths inside the catalogue, "
                f"{', '.join(OBJECT_STORES)} URLs, "
                f"web photos from allowed hosts {list(self._hosts)} (setting allow_urls)"
            )
        if scheme in OBJECT_STORES:
            return filesystem_of(source)
        return fsspec.filesystem("http", allow_redirects=False), source  # a redirect could lead to any host

    def _web_allowed(self, scheme: str, source: str) -> bool:
        return scheme in ("http", "https") and (urlsplit(source).hostname or "").casefold() in self._hosts

    def _inside(self, name: str) -> str:
        """The full path of a file below the root; links are followed before the check."""
        if isinstance(self._files, LocalFileSystem):
            try:
                root, path = Path(self._root).resolve(), (Path(self._root) / name).resolve()
            except (OSError, ValueError) as error:
                raise ImageError(f"the photo path {name!r} cannot be read: {error}") from error
            inside, full = path.is_relative_to(root), str(path)
        else:
            full = posixpath.normpath(posixpath.join(self._root, name))
            inside = full.startswith(self._root.rstrip("/") + "/")
        if not inside:
            raise ImageError(f"the photo path '{name}' leads outside the catalogue's folder {self._root}")
        return full
