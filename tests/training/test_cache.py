"""Decoded photos are kept for every run on the same catalogue, and never trusted blindly."""

import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import load_catalogue
from lookalike.training.data import load_training_set
from lookalike.training.decoded import cached_gallery
from tests.training.conftest import Train, tiny_recipe

PREPROCESSING = tiny_recipe().preprocessing


def _gallery(shop: Path, folder: Path) -> np.ndarray:
    return cached_gallery(load_catalogue(shop / "validated"), PREPROCESSING, folder)


def _file(folder: Path) -> Path:
    (path,) = folder.glob("*.npy")
    return path


def test_a_cached_photo_is_the_decoded_photo(shop: Path, tmp_path: Path) -> None:
    catalogue = load_catalogue(shop / "validated")
    contents = catalogue.photo_contents(catalogue.gallery_photos["photo_id"].tolist())
    np.testing.assert_array_equal(_gallery(shop, tmp_path), PREPROCESSING.batch(list(contents.values())))


def test_training_from_the_cache_learns_the_same_bytes(trained: Train, tmp_path: Path) -> None:
    plain = trained(tiny_recipe(epochs=1), "plain")
    cached = trained(tiny_recipe(epochs=1), "cached", cache_folder=tmp_path / "cache")
    assert cached.content == plain.content
    assert cached.figures == plain.figures


def test_a_training_set_points_at_the_same_photos_with_and_without_a_cache(shop: Path, tmp_path: Path) -> None:
    catalogue = load_catalogue(shop / "validated")
    own = load_training_set(catalogue, shop / "triplets", PREPROCESSING)
    shared = load_training_set(catalogue, shop / "triplets", PREPROCESSING, tmp_path)
    assert len(shared.photos) > len(own.photos)  # the test split's photos lie there too
    for place, (mine, theirs) in enumerate(zip(own.first_photo, shared.first_photo, strict=True)):
        count = own.photo_count[place]
        assert count == shared.photo_count[place]
        np.testing.assert_array_equal(own.photos[mine : mine + count], shared.photos[theirs : theirs + count])


def test_the_second_run_decodes_nothing(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _gallery(shop, tmp_path)

    def refuse(*_: object) -> None:
        raise AssertionError("photos were decoded again")

    monkeypatch.setattr(Preprocessing, "pixels", refuse)
    np.testing.assert_array_equal(_gallery(shop, tmp_path), first)


@pytest.mark.parametrize("harm", ["truncated", "changed", "unsealed", "emptied"])
def test_a_file_that_is_not_what_was_written_is_made_anew(shop: Path, tmp_path: Path, harm: str) -> None:
    whole = _gallery(shop, tmp_path).copy()
    path = _file(tmp_path)
    content = bytearray(path.read_bytes())
    if harm == "truncated":
        path.write_bytes(content[:-100])
    elif harm == "changed":
        content[-1] ^= 1
        path.write_bytes(content)
    elif harm == "unsealed":
        path.with_suffix(".json").unlink()
    else:
        path.write_bytes(b"")
    np.testing.assert_array_equal(_gallery(shop, tmp_path), whole)


def test_what_a_killed_process_left_aside_is_cleared_away(shop: Path, tmp_path: Path) -> None:
    _gallery(shop, tmp_path)
    path = _file(tmp_path)
    path.rename(tmp_path / f".{path.name}.abc.partial.npy")
    _gallery(shop, tmp_path)
    assert {file.suffix for file in tmp_path.iterdir()} == {".npy", ".json", ".lock"}
    assert len(list(tmp_path.iterdir())) == 3


def test_two_processes_asking_at_once_get_the_same_photos(shop: Path, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        one, other = pool.map(_gallery, [shop] * 2, [tmp_path] * 2)
    np.testing.assert_array_equal(one, other)
    assert len(list(tmp_path.iterdir())) == 3


def test_other_pixels_and_other_photos_have_files_of_their_own(shop: Path, tmp_path: Path) -> None:
    _gallery(shop, tmp_path / "cache")
    catalogue = load_catalogue(shop / "validated")
    wider = PREPROCESSING.model_copy(update={"width": 32})
    assert cached_gallery(catalogue, wider, tmp_path / "cache").shape[2] == 32
    shutil.copytree(shop / "validated", tmp_path / "validated")
    photos = pd.read_parquet(tmp_path / "validated" / "photos.parquet")
    photos.drop(index=len(photos) - 1).to_parquet(tmp_path / "validated" / "photos.parquet")
    fewer = cached_gallery(load_catalogue(tmp_path / "validated"), PREPROCESSING, tmp_path / "cache")
    assert len(fewer) == len(photos) - 1
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 3
