"""Where states are put by name: a folder, or a prefix in object storage. Each is there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from fsspec.core import url_to_fs
from fsspec.utils import get_protocol

from lookalike.errors import ConfigError, StorageError
from lookalike.storage import atomic_file


class Shelf(Protocol):
    """Contents by name. Raises StorageError where they cannot be written or read."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a content; a reader sees it whole or what the name meant before."""
        ...

    def get(self, name: str) -> bytes | None:
        """The content, None where there is none."""
        ...

    def names(self) -> list[str]:
        """All that is there, leftovers of killed writers too."""
        ...

    def remove(self, name: str) -> None:
        """Forget a name, whether it is there or not."""
        ...


def open_shelf(address: str) -> Shelf:
    """A folder's path, or a URL that fsspec knows. Raises ConfigError for one that it does not."""
    protocol = get_protocol(address)
    if protocol in ("file", "local"):
        return FolderShelf(Path(address.partition("://")[2] or address))
    return BucketShelf(address, protocol)


class FolderShelf:
    """Files of a folder, flushed and renamed into place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        with atomic_file(self._folder / name) as aside:
            aside.write_bytes(content)

    def get(self, name: str) -> bytes | None:
        file = self._folder / name
        return file.read_bytes() if file.is_file() else None

    def names(self) -> list[str]:
        return [file.name for file in self._folder.iterdir()] if self._folder.is_dir() else []

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()  # with the last name the folder goes, as a prefix does


class BucketShelf:
    """Objects under a prefix. Credentials and the endpoint come from the environment, as the store's own tools do it.

    Object stores show an upload when it is complete and not before, so nothing needs to be renamed.
    """

    def __init__(self, url: str, protocol: str) -> None:
        try:
            self._files, self._root = url_to_fs(url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"cannot keep anything at {url}: {error}") from error
        self._url, self._lost = url, _errors_of(protocol)

    def put(self, name: str, content: bytes) -> None:
        with self._explained(f"{self._url}/{name} was not written"):
            self._files.pipe_file(f"{self._root}/{name}", content)

    def get(self, name: str) -> bytes | None:
        with self._explained(f"{self._url}/{name} cannot be read"), suppress(FileNotFoundError):
            content: bytes = self._files.cat_file(f"{self._root}/{name}")
            return content
        return None

    def names(self) -> list[str]:
        with self._explained(f"{self._url} cannot be listed"), suppress(FileNotFoundError):
            return [path.rpartition("/")[2] for path in self._files.ls(self._root, detail=False)]
        return []

    def remove(self, name: str) -> None:
        with self._explained(f"{self._url}/{name} was not removed"), suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._lost as error:
            raise StorageError(f"{what}: {error}") from error


def _errors_of(protocol: str) -> tuple[type[Exception], ...]:
    """What a store's client raises when it cannot reach the store or is not let in."""
    if protocol not in ("s3", "s3a"):
        return (OSError,)
    from botocore.exceptions import BotoCoreError

    return OSError, BotoCoreError
