"""Milvus for a workspace: the URI that was given, the one a running service holds, or a server of our own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from lookalike.storage import read_json, write_json
from lookalike.workspace import Workspace
from serving.local_milvus import LocalMilvus


@contextmanager
def milvus_for(shop: Workspace, given: str = "") -> Iterator[str]:
    """Yield a Milvus URI. Milvus Lite opens in one process only, so a running service is asked first."""
    note = shop.root / "milvus.json"
    running = read_json(note)["uri"] if note.is_file() else ""
    if given or (running and _answers(running)):
        yield given or running
        return
    with LocalMilvus(shop.milvus, shop.logs / "milvus.log") as milvus:
        write_json(note, {"uri": milvus.uri})
        try:
            yield milvus.uri
        finally:
            note.unlink(missing_ok=True)


def _answers(uri: str) -> bool:
    address = urlsplit(uri)
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((address.hostname or "", address.port or 19530)) == 0
