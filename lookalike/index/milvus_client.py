"""Opening Milvus, and saying in plain words what it answers when something is wrong.

A local path (ending in `.db`) opens Milvus Lite inside this process. Lite locks its folder, so a second process
is refused; several indexes in one process share the one server, which stops with the last of them.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path

import grpc
from milvus_lite.server_manager import server_manager_instance
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from lookalike.channels import RECONNECTING
from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable, ConfigError, VectorIndexError
from lookalike.index.lite_files import make_ready

_NO_CONNECTION = 2  # pymilvus' code of "Fail connecting to server"
_LATE = ("Retry", "loading collection timeout")
"""What pymilvus says where it gave up waiting."""
CHANNEL = {
    **RECONNECTING,
    "grpc.keepalive_permit_without_calls": 0,  # idle, a Python server such as Lite's ends who pings every ten seconds
}
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
        with explained(shown(uri)):
            return MilvusClient(uri=uri, token=token, timeout=timeout_seconds, grpc_options=CHANNEL)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _opening:
        if not _open_files[path]:
            make_ready(path)
        with explained(str(path)):
            client = MilvusClient(uri=str(path), timeout=timeout_seconds)
        _open_files[path] += 1
    return client


def shown(uri: str) -> str:
    """An address without whose it is: people read it in errors and logs."""
    before, _, host = uri.rpartition("@")
    return f"{before.partition('://')[0]}://{host}" if before else uri


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


def awaited(seconds: float) -> dict[str, float]:
    """How long the next call may take: no longer than anybody waits for it. Raises DeadlineExceeded.

    Nothing, which pymilvus takes for as long as it likes, where there is no end to `seconds` or to the waiting.
    """
    deadline = Deadline.current()
    deadline.check("asking Milvus")
    granted = deadline.within(seconds)
    return {"timeout": granted} if isfinite(granted) else {}


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn pymilvus' errors into VectorIndexError (wrong request) or BackendUnavailable (no answer)."""
    try:
        yield
    except grpc.RpcError as error:
        raise BackendUnavailable(f"Milvus does not answer for {what}: {error}") from error
    except MilvusException as error:
        if error.code == _NO_CONNECTION or error.retriable or any(word in error.message for word in _LATE):
            raise BackendUnavailable(f"Milvus does not answer for {what}: {error.message}") from error
        raise VectorIndexError(f"Milvus refused {what}: {error.message}") from error
