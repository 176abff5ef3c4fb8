"""Every vector index there is, so that one set of tests holds for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.index.memory import MemoryIndex
from lookalike.index.milvus import MilvusIndex
from lookalike.index.protocol import VectorIndex
from tests.index.shop import gallery, info


@pytest.fixture(params=["memory", "milvus"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorIndex]:
    """An empty index."""
    if request.param == "memory":
        yield MemoryIndex()
    else:
        with MilvusIndex(str(tmp_path / "milvus.db")) as opened:
            yield opened


@pytest.fixture
def shoes(index: VectorIndex) -> VectorIndex:
    """An index with the tiny gallery, sealed, as collection `shoes`."""
    index.create(info())
    index.upsert("shoes", gallery())
    index.seal("shoes")
    return index
