"""Traps that cost others their data, each with the test that it cannot be walked into here.

Elsewhere: NaN vectors, a wrong dimension and an alias read during a swap in `test_contract`; one process at a time in
`test_milvus`; filtered recall of a graph in `test_faiss`; the same dimension from another model in `test_build` (its
own collection), `test_promote` (refused at release) and `test_engine` (refused at every search).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from lookalike.config import parse_config
from lookalike.errors import ConfigError, VectorIndexError
from lookalike.index.milvus import MilvusIndex
from lookalike.index.milvus_structure import MilvusSettings
from tests.index.shop import axis, gallery, info, random_gallery


@pytest.fixture
def index(tmp_path: Path) -> Iterator[MilvusIndex]:
    with MilvusIndex(str(tmp_path / "milvus.db"), settings=MilvusSettings(structure="HNSW", m=8)) as opened:
        opened.create(info())
        opened.upsert("shoes", random_gallery(300))
        yield opened


def built(folder: Path) -> list[str]:
    """Kinds of the search structures on disk."""
    return [path.name.split(".")[-2] for path in folder.rglob("*.idx")]


def test_an_index_type_that_milvus_does_not_know_never_passes_for_a_search_structure(
    index: MilvusIndex, tmp_path: Path
) -> None:
    """Lite notes any name it is given, whether or not it then builds anything."""
    index._client.flush("shoes")
    unknown = MilvusClient.prepare_index_params()
    unknown.add_index("vector", index_type="HNSWW", metric_type="IP")
    with pytest.raises(MilvusException, match="unknown index_type"):
        index._client.create_index("shoes", unknown, sync=False)
    assert built(tmp_path) == []
    with pytest.raises(VectorIndexError, match=r"has the search structure .*HNSWW.*, not HNSW"):
        index.seal("shoes")


def test_a_search_structure_other_than_the_one_asked_for_is_noticed(index: MilvusIndex) -> None:
    index._client.flush("shoes")
    other = MilvusClient.prepare_index_params()
    other.add_index("vector", index_type="FLAT", metric_type="IP")
    index._client.create_index("shoes", other, sync=False)
    with pytest.raises(VectorIndexError, match=r"has the search structure .*FLAT.*, not HNSW"):
        index.seal("shoes")


def test_an_index_type_that_nothing_knows_is_refused_before_milvus_hears_of_it() -> None:
    with pytest.raises(ConfigError, match="HNSWW"):
        parse_config(MilvusSettings, {"structure": "HNSWW"}, "index")


def test_milvus_lite_ignores_parameters_that_are_not_nested_and_sealing_notices(index: MilvusIndex) -> None:
    index._client.flush("shoes")
    flat = MilvusClient.prepare_index_params()
    flat.add_index("vector", index_type="HNSW", metric_type="IP", M=8, efConstruction=200)
    index._client.create_index("shoes", flat, sync=False)
    described = index._client.describe_index("shoes", "vector")
    links = {**described, **described.get("params", {})}.get("M")
    if str(links) == "8":
        pytest.skip("this Milvus Lite reads parameters that are not nested")
    with pytest.raises(VectorIndexError, match="not with M=8"):
        index.seal("shoes")


def test_our_own_parameters_arrive(index: MilvusIndex, tmp_path: Path) -> None:
    index.seal("shoes")
    described = index._client.describe_index("shoes", "vector")
    assert str({**described, **described.get("params", {})}["M"]) == "8"
    assert built(tmp_path) == ["hnsw"]


def test_a_misspelt_consistency_level_is_refused() -> None:
    with pytest.raises(ConfigError, match="Strng"):
        parse_config(MilvusSettings, {"consistency": "Strng"}, "index")


def test_a_collection_whose_making_was_killed_does_not_take_its_name_with_it(tmp_path: Path) -> None:
    """Lite 3.2 makes the folder first and then its schema; without one it lists no collection and allows none."""
    (tmp_path / "milvus.db" / "collections" / "shoes").mkdir(parents=True)
    (tmp_path / "milvus.db" / "collections" / "shoes" / "schema.json.tmp").write_text("{")
    with MilvusIndex(str(tmp_path / "milvus.db")) as index:
        index.create(info())
        assert index.collections() == ["shoes"]


def test_a_collection_that_is_not_loaded_after_a_restart_is_loaded_by_the_next_search(tmp_path: Path) -> None:
    uri = str(tmp_path / "milvus.db")
    with MilvusIndex(uri) as index:
        index.create(info())
        index.upsert("shoes", gallery())
        index.seal("shoes")
        index._client.release_collection("shoes")  # as after a server's restart
    with MilvusIndex(uri) as again:
        assert again.search("shoes", axis(0), 1)[0][0].photo_id == "a/0"
        again._client.release_collection("shoes")  # and once more, while this client believes it is loaded
        assert again.search("shoes", axis(0), 1)[0][0].photo_id == "a/0"
        again._client.release_collection("shoes")
        assert again.vectors("shoes", "a").shape == (2, 4)
        again._client.release_collection("shoes")
        assert again.count("shoes") == 5
