"""One address decides where collections live: a folder searched in this process, or Milvus."""

from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import ConfigError

if TYPE_CHECKING:
    from lookalike.index.faiss import FaissIndex
    from lookalike.index.milvus import MilvusIndex

FAISS = "faiss://"


def open_index(uri: str, token: str = "") -> "FaissIndex | MilvusIndex":
    """The index at `faiss:///folder`, a Milvus Lite path ending in .db, or a Milvus server's URL; close it after use.

    How a faiss folder builds new collections is in its `settings.json`, where there is one. Raises ConfigError for
    any other address, BackendUnavailable where Milvus does not answer.
    """
    if not uri.startswith(FAISS):
        from lookalike.index.milvus import MilvusIndex

        return MilvusIndex(uri, token)
    from lookalike.index.faiss import FaissIndex

    folder = uri.removeprefix(FAISS)
    if not folder:
        raise ConfigError(f"the address {uri!r} names no folder; faiss:///folder is accepted")
    return FaissIndex(Path(folder))
