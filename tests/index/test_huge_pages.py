"""Large pages are an advice: what lies on them stays what it was."""

from pathlib import Path

import numpy as np

from lookalike.index.huge_pages import HUGE, on_huge_pages


def test_an_array_moved_to_huge_pages_keeps_its_place_and_its_content() -> None:
    array = np.arange(3 * HUGE // 8)
    place = array.ctypes.data
    on_huge_pages(array)
    assert array.ctypes.data == place
    assert np.array_equal(array, np.arange(3 * HUGE // 8))


def test_arrays_without_a_whole_page_and_mapped_files_are_left_alone(tmp_path: Path) -> None:
    on_huge_pages(np.arange(10))
    on_huge_pages(np.empty(0))
    np.save(tmp_path / "kept.npy", np.arange(3 * HUGE // 8))
    mapped = np.load(tmp_path / "kept.npy", mmap_mode="r")
    on_huge_pages(mapped)
    assert np.array_equal(mapped, np.arange(3 * HUGE // 8))
