"""Every vector index there is, so that one set of tests holds for all of them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lookalike.config import parse_config
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.memory import MemoryIndex
from lookalike.index.milvus import MilvusIndex
from lookalike.index.protocol import VectorIndex
from tests.index.shop import every_value, gallery, info

SERVER = "LOOKALIKE_TEST_MILVUS"
"""Names an empty Milvus server to run the same tests on; what they make there is dropped."""


FAISS: dict[str, dict[str, Any]] = {
    "faiss": {},  # every search of a tiny collection is exact
    "faiss-flat": {"structure": {"kind": "flat"}, "exact_rows": 0},
    "faiss-hnsw": {"structure": {"kind": "hnsw"}, "exact_rows": 0},
    "faiss-ivf-pq": {"structure": {"kind": "ivf_pq", "lists": 1, "probes": 1, "subvectors": 2}, "exact_rows": 16},
    "faiss-binary": {"structure": {"kind": "binary", "bits": 32}, "exact_rows": 0},
    "faiss-scalar": {"structure": {"kind": "scalar", "bits": 16, "axes": 3}, "exact_rows": 0},
    "faiss-scalar-graph": {"structure": {"kind": "scalar", "graph": {"kind": "hnsw"}}, "exact_rows": 0},
}
"""Settings under which approximate structures must find everything in a tiny collection."""


@pytest.fixture(params=["memory", *FAISS, "milvus", "server"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    """An empty index."""
    if request.param == "memory":
        yield MemoryIndex()
    elif request.param in FAISS:
        yield FaissIndex(tmp_path / "faiss", parse_config(FaissSettings, FAISS[request.param], request.param))
    elif request.param == "milvus":
        with MilvusIndex(str(tmp_path / "milvus.db")) as opened:
            yield opened
    else:
        yield from on_server()


@pytest.fixture
def server() -> Iterator[MilvusIndex]:
    """An empty index on a Milvus server."""
    yield from on_server()


def on_server() -> Iterator[MilvusIndex]:
    if SERVER not in os.environ:
        pytest.skip(f"no Milvus server; set {SERVER} to the URI of an empty one")
    with MilvusIndex(os.environ[SERVER]) as opened:
        assert opened.collections() == [], "the server is not empty, and these tests drop what they find"
        yield opened
        for alias in opened._aliases():
            opened._client.drop_alias(alias)
        for collection in opened.collections():
            opened.drop(collection)


@pytest.fixture
def shoes(index: VectorIndex) -> VectorIndex:
    """An index with the tiny gallery, sealed, as collection `shoes`."""
    index.create(info())
    index.upsert("shoes", gallery())
    index.seal("shoes")
    return index


@pytest.fixture
def filled(index: VectorIndex) -> VectorIndex:
    """An index with a photo for every filter, sealed, as collection `shoes`."""
    index.create(info())
    index.upsert("shoes", every_value())
    index.seal("shoes")
    return index
