"""A Milvus server filled from files holds and answers what it does after upserts; interrupted, it goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from pymilvus import BulkInsertState, MilvusClient

from lookalike.catalog.images import Preprocessing
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.errors import BackendUnavailable, ConfigError, VectorIndexError
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.filter_input import parse_where
from lookalike.index.memory import MemoryIndex
from lookalike.index.milvus import MilvusIndex
from lookalike.index.milvus_bulk import BulkImport
from lookalike.index.protocol import GalleryBatch, VectorIndex
from lookalike.index.staging import BulkSettings, Staging
from tests.index.shop import axis, gallery, info, random_gallery
from tests.index.stages import exported_folder, validated_folder

PHOTOS = 40


def rows_of(batch: GalleryBatch, start: int, stop: int) -> GalleryBatch:
    fields = {name: values[start:stop] for name, values in batch.fields.items()}
    return GalleryBatch(batch.photo_ids[start:stop], batch.product_ids[start:stop], batch.vectors[start:stop], fields)


def batches(whole: GalleryBatch, size: int = 7) -> Iterator[GalleryBatch]:
    for start in range(0, len(whole.photo_ids), size):
        yield rows_of(whole, start, start + size)


def bulk(folder: Path, **values: float) -> BulkSettings:
    return BulkSettings.model_validate({"staging": str(folder / "staged"), "rows": 25, **values})


def imported(index: MilvusIndex, collection: str = "shoes") -> list[str]:
    """The files the server took, as often as it took them."""
    tasks = index._client._get_connection().list_bulk_insert_tasks(0, collection, timeout=10)
    return sorted(task.files for task in tasks)


def answers(index: VectorIndex, collection: str, dimension: int = 4) -> list[object]:
    """Ids, fields and, within what one float differs by, scores."""
    queries = random_gallery(8, dimension, seed=3).vectors
    filters: list[dict[str, list[str]]] = [{}, {"colour": ["red"]}, {"vertical": ["v1"], "colour": ["blue", "green"]}]
    found = [hits for each in filters for hits in index.search(collection, queries, 10, parse_where(each))]
    return [
        (hit.photo_id, hit.product_id, pytest.approx(hit.score, abs=2e-6), hit.fields) for hits in found for hit in hits
    ]


def test_a_server_filled_from_files_answers_as_one_filled_by_upserts(server: MilvusIndex, tmp_path: Path) -> None:
    stored, twin = random_gallery(PHOTOS), MemoryIndex()
    twin.create(info())
    twin.upsert("shoes", stored)
    twin.seal("shoes")
    server.fill(info(), batches(stored), bulk(tmp_path))
    with pytest.raises(VectorIndexError, match="unfinished"):
        server.search("shoes", axis(0), 1)
    server.seal("shoes")
    assert (server.count("shoes"), server.describe("shoes")) == (PHOTOS, info())
    assert len(imported(server)) == 2
    assert answers(server, "shoes") == answers(twin, "shoes")
    np.testing.assert_allclose(server.vectors("shoes", "p007"), stored.vectors[[7]], atol=1e-6)
    assert list((tmp_path / "staged").rglob("*.parquet")) == []


def test_photos_imported_by_a_server_are_replaced_and_removed_like_any(server: MilvusIndex, tmp_path: Path) -> None:
    server.fill(info(), [gallery()], bulk(tmp_path))
    server.seal("shoes")
    moved = GalleryBatch(["c/0"], ["c"], axis(3), {"vertical": ["shoe"], "colour": ["green"]})
    server.upsert("shoes", moved)
    server.delete("shoes", ["a"])
    assert server.count("shoes") == 3
    assert [hit.photo_id for hit in server.search("shoes", axis(3), 1)[0]] == ["c/0"]
    assert {hit.photo_id: hit.score for hit in server.search("shoes", axis(0), 5)[0]} == {"b/0": 0, "c/0": 0, "d/0": 0}


def test_a_server_is_asked_for_no_file_twice_when_filling_goes_on(server: MilvusIndex, tmp_path: Path) -> None:
    stored = random_gallery(PHOTOS)

    def broken() -> Iterator[GalleryBatch]:
        yield from batches(rows_of(stored, 0, 30))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        server.fill(info(), broken(), bulk(tmp_path))
    with pytest.raises(BackendUnavailable, match=r"finished none of 1 files for shoes within 0.001 s.*run again"):
        server.fill(info(), batches(stored), bulk(tmp_path, timeout_seconds=0.001))
    server.fill(info(), batches(stored), bulk(tmp_path))
    assert server.count("shoes") == PHOTOS
    assert len(imported(server)) == len(set(imported(server))) == 2


def test_what_another_catalogue_left_on_a_server_is_not_gone_on_with(server: MilvusIndex, tmp_path: Path) -> None:
    server.fill(info(), batches(random_gallery(PHOTOS)), bulk(tmp_path))
    other = random_gallery(PHOTOS, seed=5)
    other = replace(other, photo_ids=[f"other-{photo}" for photo in other.photo_ids])
    with pytest.raises(VectorIndexError, match=r"held 80 photos after 40 were imported; run again"):
        server.fill(info(), batches(other), bulk(tmp_path))
    assert server.collections() == []


def test_a_server_says_what_it_could_not_import(server: MilvusIndex, tmp_path: Path) -> None:
    elsewhere = bulk(tmp_path).model_copy(update={"seen_as": str(tmp_path / "never")})
    with pytest.raises(VectorIndexError, match=r"could not import .*never/shoes/.*parquet.*no such file"):
        server.fill(info(), batches(random_gallery(PHOTOS)), elsewhere)
    server.fill(info(), batches(random_gallery(PHOTOS)), bulk(tmp_path))
    assert server.count("shoes") == PHOTOS


class Failing:
    """A client whose one import, left over from an interrupted filling, fails while it is waited for."""

    def __init__(self) -> None:
        self.asked = 0

    def _get_connection(self) -> "Failing":
        return self

    def list_bulk_insert_tasks(self, *_: object, **__: object) -> list[SimpleNamespace]:
        return [self.task()]

    def get_bulk_insert_state(self, *_: object, **__: object) -> SimpleNamespace:
        self.asked += 1
        return self.task()

    def task(self) -> SimpleNamespace:
        state = BulkInsertState.ImportStarted if self.asked < 2 else BulkInsertState.ImportFailed
        return SimpleNamespace(task_id=1, files="a.parquet", state=state, row_count=0, failed_reason="no such file")

    def flush(self, collection: str) -> None:
        pass

    def get_collection_stats(self, collection: str, timeout: float) -> dict[str, int]:
        return {"row_count": 0}


def test_an_import_that_fails_only_once_filling_goes_on_stops_it_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lookalike.index.milvus_bulk.POLL_SECONDS", 0)
    left = BulkImport(cast("MilvusClient", Failing()), "shoes", bulk(tmp_path), 1)
    assert left.fits()
    with pytest.raises(VectorIndexError, match=r"could not import a\.parquet: no such file"):
        left.finish({"a.parquet": 1})


def test_an_index_built_on_a_server_from_files_is_the_same_to_the_byte(server: MilvusIndex, tmp_path: Path) -> None:
    embedder = MemoryEmbedder(Preprocessing(height=32, width=24), dimension=8)
    folders = (validated_folder(tmp_path / "validated", range(40)), exported_folder(tmp_path / "exported", embedder))
    settings, twin = IndexSettings(rows=9, recall_queries=5), MemoryIndex()
    by_upsert = build_index(*folders, tmp_path / "by-upsert", twin, embedder, settings)
    filled = settings.model_copy(update={"bulk": bulk(tmp_path)})
    in_bulk = build_index(*folders, tmp_path / "in-bulk", server, embedder, filled)
    assert in_bulk.content == by_upsert.content
    name = in_bulk.figures["collection"]
    assert len(imported(server, name)) == 2
    assert answers(server, name, dimension=8) == answers(twin, name, dimension=8)


def test_only_a_server_is_filled_from_files(tmp_path: Path) -> None:
    with (
        MilvusIndex(str(tmp_path / "milvus.db")) as lite,
        pytest.raises(ConfigError, match="Lite imports no files; only a Milvus server"),
    ):
        lite.fill(info(), [gallery()], bulk(tmp_path))
    embedder = MemoryEmbedder(Preprocessing(height=32, width=24), dimension=8)
    folders = (validated_folder(tmp_path / "validated", range(9)), exported_folder(tmp_path / "exported", embedder))
    with pytest.raises(ConfigError, match=r"settings\.index\.bulk: only a Milvus server"):
        build_index(*folders, tmp_path / "index", MemoryIndex(), embedder, IndexSettings(bulk=bulk(tmp_path)))


def test_a_file_in_a_bucket_is_named_without_the_bucket_and_one_on_a_disk_by_its_path(tmp_path: Path) -> None:
    local = Staging(BulkSettings(staging=str(tmp_path)), "shoes")
    assert local.put("a.parquet", b"rows") == f"{tmp_path}/shoes/a.parquet"
    assert (tmp_path / "shoes" / "a.parquet").read_bytes() == b"rows"
    assert [path.name for path in (tmp_path / "shoes").iterdir()] == ["a.parquet"]
    (tmp_path / "shoes" / "b.parquet.partial").write_bytes(b"kil")
    assert local.put("b.parquet", b"killed") == f"{tmp_path}/shoes/b.parquet"
    assert (tmp_path / "shoes" / "b.parquet").read_bytes() == b"killed"
    local.put("a.parquet", b"other")  # a name is a digest: what is there is the same
    assert (tmp_path / "shoes" / "a.parquet").read_bytes() == b"rows"
    local.clear()
    assert list(tmp_path.iterdir()) == []
    bucket = Staging(BulkSettings(staging="memory://bucket/deep/folder"), "shoes")
    assert bucket.put("a.parquet", b"rows") == "deep/folder/shoes/a.parquet"
    named = Staging(BulkSettings(staging="memory://bucket/folder", seen_as="/data/in"), "shoes")
    assert named.put("a.parquet", b"rows") == "/data/in/shoes/a.parquet"
    with pytest.raises(ConfigError, match="'nowhere://x' cannot be opened"):
        Staging(BulkSettings(staging="nowhere://x"), "shoes")
