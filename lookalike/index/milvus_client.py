"""Opening Milvus, and saying in plain words what it answers when something is wrong.

A local path (ending in `.db`) opens Milvus Lite inside this process. Lite locks its folder, so a second process
is refused; several indexes in one process share the one server, which stops with the last of them.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from milvus_lite.server_manager import server_manager_instance
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from lookalike.errors import BackendUnavailable, ConfigError, VectorIndexError
from lookalike.index.lite_files import make_ready

_NO_CONNECTION = 2  # pymilvus' code of "Fail connecting to server"
_open_files: Counter[Path] = Counter()
_opening = threading.Lock()


def local_file(uri: str) -> Path | None:
    """The folder of a Milvus Lite URI, None for a server's. Raises ConfigError for a path Lite would not take."""
    if "://" in uri:
        return None
    path = Path(uri).resolve()
    if path.suffix != ".db":
        raise ConfigError(f"the Milvus address {uri!r} is neither a URL (http://host:19530) nor a path ending in .db")
    return path


def open_client(uri: str, token: str, timeout_seconds: float) -> MilvusClient:
    """Connect. Raises BackendUnavailable when the server does not answer or the file is in use elsewhere."""
    path = local_file(uri)
    if path is None:
        with explained(uri):
            return MilvusClient(uri=uri, token=token, timeout=timeout_seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _opening:
        if not _open_files[path]:
            make_ready(path)
        with explained(str(path)):
            client = MilvusClient(uri=str(path), timeout=timeout_seconds)
        _open_files[path] += 1
    return client


def close_client(client: MilvusClient, uri: str) -> None:
    """Disconnect; the last one to leave a Milvus Lite file stops its server and frees its lock."""
    client.close()
    path = local_file(uri)
    if path is None:
        return
    with _opening:
        _open_files[path] -= 1
        if not _open_files[path]:
            server_manager_instance.release_server(str(path))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn pymilvus' errors into VectorIndexError (wrong request) or BackendUnavailable (no answer)."""
    try:
        yield
    except grpc.RpcError as error:
        raise BackendUnavailable(f"Milvus does not answer for {what}: {error}") from error
    except MilvusException as error:
        if error.code == _NO_CONNECTION or error.retriable or "Retry" in error.message:
            raise BackendUnavailable(f"Milvus does not answer for {what}: {error.message}") from error
        raise VectorIndexError(f"Milvus refused {what}: {error.message}") from error
