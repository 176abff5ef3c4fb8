"""Photos read one after the other: those that are named, and no part of the file without any."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lookalike.catalog.products import PHOTO_SCHEMA, PHOTOS, load_catalogue
from tests.index.stages import validated_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten products with two photos each, in parts of four photos."""
    made = validated_folder(tmp_path / "validated", range(10))
    pq.write_table(pq.read_table(made / PHOTOS), made / PHOTOS, row_group_size=4)
    return made


def test_named_photos_come_in_the_catalogue_s_order(folder: Path) -> None:
    catalogue = load_catalogue(folder)
    wanted = ["p007/0", "p001/0", "p004/-1", "nobody"]
    assert [photo for photo, _ in catalogue.stream_contents(wanted)] == ["p001/0", "p004/-1", "p007/0"]
    whole = pq.read_table(folder / PHOTOS).to_pylist()
    assert dict(catalogue.stream_contents(wanted)) == {
        row["photo_id"]: row["content"] for row in whole if row["photo_id"] in wanted
    }
    assert list(catalogue.stream_contents([])) == []


def test_photos_asked_for_at_once_are_those_or_a_missing_one_is_named(folder: Path) -> None:
    catalogue = load_catalogue(folder)
    whole = {row["photo_id"]: row["content"] for row in pq.read_table(folder / PHOTOS).to_pylist()}
    assert catalogue.photo_contents() == whole
    assert list(catalogue.photo_contents(["p007/0", "p001/0"])) == ["p001/0", "p007/0"]
    with pytest.raises(KeyError, match="p404/0"):
        catalogue.photo_contents(["p007/0", "p404/0"])


def test_parts_without_a_named_photo_are_not_read(folder: Path) -> None:
    catalogue = load_catalogue(folder)
    whole = dict(catalogue.stream_contents(["p008/0"]))
    first = pq.ParquetFile(folder / PHOTOS).metadata.row_group(0).column(PHOTO_SCHEMA.get_field_index("content"))
    content = bytearray((folder / PHOTOS).read_bytes())
    start = first.dictionary_page_offset or first.data_page_offset
    content[start : start + first.total_compressed_size] = bytes(first.total_compressed_size)
    (folder / PHOTOS).write_bytes(content)
    assert dict(catalogue.stream_contents(["p008/0"])) == whole
    with pytest.raises(OSError):
        list(catalogue.stream_contents(["p000/0"]))


def test_a_file_that_says_nothing_of_its_parts_is_read_whole(folder: Path) -> None:
    pq.write_table(pq.read_table(folder / PHOTOS), folder / PHOTOS, row_group_size=4, write_statistics=False)
    assert [photo for photo, _ in load_catalogue(folder).stream_contents(["p008/0"])] == ["p008/0"]
