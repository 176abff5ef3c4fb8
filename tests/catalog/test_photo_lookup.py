"""Photos are read one at a time, from the newest catalogue that has them."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.catalog.photo_lookup import PhotoLookup
from lookalike.catalog.products import PHOTOS


def catalogue(folder: Path, photos: dict[str, bytes], time: int, rows: int = 2) -> Path:
    """A folder with a table of photos, in parts of a few rows."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table({"photo_id": list(photos), "content": pa.array(photos.values(), pa.binary())})
    pq.write_table(table, folder / PHOTOS, row_group_size=rows)
    os.utime(folder / PHOTOS, (time, time))
    return folder


def test_every_photo_comes_back_from_whichever_part_holds_it(tmp_path: Path) -> None:
    photos = {f"p{number}/0": bytes([number]) * number for number in range(1, 8)}
    lookup = PhotoLookup(catalogue(tmp_path, photos, time=1))
    assert {photo: lookup.read(photo) for photo in photos} == photos
    assert lookup.read("p9/0") is None
    assert lookup.read("../../etc/passwd") is None


def test_the_newest_catalogue_gives_a_photo_and_a_replaced_one_is_read_anew(tmp_path: Path) -> None:
    catalogue(tmp_path / "old", {"a/0": b"old a", "b/0": b"old b"}, time=1)
    catalogue(tmp_path / "deeper" / "new", {"a/0": b"new a"}, time=2)
    catalogue(tmp_path / ".half-written", {"a/0": b"half"}, time=9)
    now = [0.0]
    lookup = PhotoLookup(tmp_path, look_seconds=5, clock=lambda: now[0])
    assert (lookup.read("a/0"), lookup.read("b/0")) == (b"new a", b"old b")
    catalogue(tmp_path / "old", {"b/0": b"newest b"}, time=3)
    assert (lookup.read("a/0"), lookup.read("b/0")) == (b"new a", b"newest b")
    catalogue(tmp_path / "added", {"b/0": b"added b"}, time=4)
    assert lookup.read("b/0") == b"newest b"
    now[0] = 5.0
    assert lookup.read("b/0") == b"added b"


def test_a_folder_without_catalogues_has_no_photos(tmp_path: Path) -> None:
    assert PhotoLookup(tmp_path / "nowhere").read("a/0") is None
