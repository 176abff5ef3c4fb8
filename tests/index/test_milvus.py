"""What only Milvus can get wrong: restarts, locks, search structures, servers that do not answer."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from milvus_lite.adapter.grpc.server import start_server_in_thread

from lookalike.errors import BackendUnavailable, ConfigError, VectorIndexError
from lookalike.index.lite_files import DROPPED
from lookalike.index.milvus import MilvusIndex
from lookalike.index.milvus_client import local_file
from lookalike.index.milvus_structure import MilvusSettings
from tests.index.shop import axis, gallery, info, random_gallery


def filled(path: Path, settings: MilvusSettings | None = None) -> MilvusIndex:
    index = MilvusIndex(str(path), settings=settings)
    index.create(info())
    index.upsert("shoes", gallery())
    index.seal("shoes")
    return index


def test_everything_is_there_after_closing_and_opening_again(tmp_path: Path) -> None:
    with filled(tmp_path / "milvus.db") as index:
        index.delete("shoes", ["b"])
        index.point_alias("live", "shoes")
        before = index.search("shoes", axis(0), 5)
    with MilvusIndex(str(tmp_path / "milvus.db")) as again:
        assert again.search("live", axis(0), 5) == before
        assert again.describe("live") == info()
        assert again.count("shoes") == 4


def test_a_second_process_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "milvus.db"
    ask = f"from lookalike.index.milvus import MilvusIndex; MilvusIndex({str(path)!r}).close()"
    with filled(path):
        refused = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert f"BackendUnavailable: {path} is open in another process" in refused.stderr
    subprocess.run([sys.executable, "-c", ask], check=True)  # closing freed it


def test_two_indexes_in_one_process_share_the_file(tmp_path: Path) -> None:
    first = filled(tmp_path / "milvus.db")
    second = MilvusIndex(str(tmp_path / "milvus.db"))
    first.close()
    first.close()
    assert second.count("shoes") == 5
    second.close()


@pytest.mark.parametrize("structure", ["FLAT", "HNSW"])
def test_the_search_structure_is_on_disk_and_not_only_described(
    tmp_path: Path, structure: Literal["FLAT", "HNSW"]
) -> None:
    with MilvusIndex(str(tmp_path / "milvus.db"), settings=MilvusSettings(structure=structure, m=8)) as index:
        stored = random_gallery(200)
        index.create(info())
        index.upsert("shoes", stored)
        index.seal("shoes")
        assert [path.name.split(".")[-2] for path in tmp_path.rglob("*.idx")] == [structure.lower()]
        for row in range(0, 200, 20):
            assert index.search("shoes", stored.vectors[[row]], 1)[0][0].photo_id == stored.photo_ids[row]


def test_a_structure_other_than_the_wanted_one_is_noticed(tmp_path: Path) -> None:
    with (
        filled(tmp_path / "milvus.db", MilvusSettings(structure="HNSW", m=8)) as index,
        MilvusIndex(str(tmp_path / "milvus.db"), settings=MilvusSettings(structure="HNSW", m=16)) as other,
    ):
        index.seal("shoes")
        with pytest.raises(VectorIndexError, match="not with M=16"):
            other.seal("shoes")


def test_lite_behind_a_url_is_still_lite(tmp_path: Path) -> None:
    server, database, port = start_server_in_thread(str(tmp_path / "milvus.db"), host="127.0.0.1", port=0)
    try:
        with MilvusIndex(f"http://127.0.0.1:{port}") as index:
            index.create(info())
            index.upsert("shoes", gallery())
            index.seal("shoes")
            assert [hit.photo_id for hit in index.search("shoes", axis(0), 2)[0]] == ["a/0", "c/0"]
            assert [path.name.split(".")[-2] for path in tmp_path.rglob("*.idx")] == ["flat"]
    finally:
        server.stop(grace=None).wait()
        database.close()


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(BackendUnavailable, match="does not answer"):
        MilvusIndex(address, settings=MilvusSettings(timeout_seconds=1))


def test_a_server_that_was_gone_for_long_is_tried_again_every_second(tmp_path: Path) -> None:
    """gRPC would wait up to two minutes, and a new connection to the address would wait with it."""
    server, database, port = start_server_in_thread(str(tmp_path / "milvus.db"), host="127.0.0.1", port=0)
    try:
        with MilvusIndex(f"http://127.0.0.1:{port}") as index:
            assert index._client._handler._grpc_options["grpc.max_reconnect_backoff_ms"] == 1000
    finally:
        server.stop(grace=None).wait()
        database.close()


def test_a_collection_made_by_others_is_not_touched(tmp_path: Path) -> None:
    with filled(tmp_path / "milvus.db") as index:
        index._client.drop_collection_properties("shoes", ["lookalike.info"])
        with pytest.raises(VectorIndexError, match="was not made by Lookalike"):
            index.describe("shoes")


def test_an_address_is_a_url_or_a_path_ending_in_db() -> None:
    assert local_file("http://localhost:19530") is None
    assert local_file("shop/milvus.db") == Path("shop/milvus.db").resolve()
    with pytest.raises(ConfigError, match=r"'shop/milvus' is neither"):
        local_file("shop/milvus")


def test_a_collection_whose_dropping_was_killed_does_not_come_back_empty(tmp_path: Path) -> None:
    """Lite 3.2 removes rows first and the schema by chance: a collection is dropped by its name before its files."""
    with filled(tmp_path / "milvus.db") as index:
        index._client.rename_collection("shoes", "shoes" + DROPPED)  # killed between two of the drop's requests
        assert index.collections() == []
        index.create(info())
        assert (index.collections(), index._client.list_collections()) == (["shoes"], ["shoes"])
        index.seal("shoes")
        index.drop("shoes")
        assert index._client.list_collections() == []
    left = tmp_path / "milvus.db" / "collections" / f"shoes{DROPPED}"
    left.mkdir()
    (left / "schema.json").write_text("{}")  # killed while files were being removed
    with MilvusIndex(str(tmp_path / "milvus.db")) as again:
        assert again.collections() == []
    assert not left.exists()
