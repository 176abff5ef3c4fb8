"""Purging a Milvus Lite collection, and what an interrupted purge left."""

from pathlib import Path

import pytest

from lookalike.index.milvus import MilvusIndex
from lookalike.index.purge import COPY, OLD
from tests.index.shop import FIELDS, axis, gallery, info


@pytest.fixture
def index(tmp_path: Path):  # type: ignore[no-untyped-def]
    with MilvusIndex(str(tmp_path / "milvus.db")) as opened:
        opened.create(info())
        opened.upsert("shoes", gallery())
        opened.seal("shoes")
        opened.point_alias("live", "shoes")
        yield opened


def answers(index: MilvusIndex) -> list[str]:
    [hits] = index.search("live", axis(0), 10)
    return sorted(hit.photo_id for hit in hits)


def test_a_purged_collection_answers_as_before_under_its_name_and_alias(index: MilvusIndex, tmp_path: Path) -> None:
    index.delete("shoes", ["b"])
    before = index.search("live", axis(1), 10)
    assert index.purge("shoes") == ""
    assert (index.search("live", axis(1), 10), index.describe("live")) == (before, info())
    assert (index.collections(), index.resolve_alias("live"), index.count("shoes")) == (["shoes"], "shoes", 4)
    files = [path for path in (tmp_path / "milvus.db").rglob("*") if path.is_file()]
    assert [path for path in files if b"b/0" in path.read_bytes()] == []
    index.upsert("shoes", gallery())
    assert index.count("shoes") == 5
    assert set(FIELDS) == set(index.describe("shoes").fields)


@pytest.mark.parametrize("state", ["copying", "renamed", "both"])
def test_an_interrupted_purge_is_recovered(index: MilvusIndex, state: str) -> None:
    client = index._client
    if state != "copying":
        client.rename_collection("shoes", f"shoes{OLD}")
    if state in ("copying", "renamed"):
        index.create(info(f"shoes{COPY}"))
    else:
        index.create(info())
        index.upsert("shoes", gallery())
        index.seal("shoes")
    assert set(index.collections()) <= {"shoes"}  # what the purge holds aside is nobody's to prune
    index.recover()
    assert (index.collections(), index.resolve_alias("live")) == (["shoes"], "shoes")
    assert answers(index) == ["a/0", "a/1", "b/0", "c/0", "d/0"]
    index.recover()
    assert index.count("shoes") == 5
