"""The address alone says which index is opened."""

from pathlib import Path

import pytest

from lookalike.errors import ConfigError
from lookalike.index.choose import open_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.milvus import MilvusIndex
from tests.index.shop import info


def test_a_faiss_address_is_a_folder_that_the_next_one_finds_again(tmp_path: Path) -> None:
    for _ in range(2):
        with open_index(f"faiss://{tmp_path}") as index:
            assert isinstance(index, FaissIndex)
            index.create(info())
    assert (tmp_path / "shoes" / "collection.json").is_file()


def test_a_path_ending_in_db_is_milvus_lite(tmp_path: Path) -> None:
    with open_index(str(tmp_path / "milvus.db")) as index:
        assert isinstance(index, MilvusIndex)


@pytest.mark.parametrize("uri", ["faiss://", "somewhere"])
def test_an_address_that_names_nothing_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match=uri):
        open_index(uri)
