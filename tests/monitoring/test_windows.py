"""Which queries make a window, and which are left out and counted."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import ArtifactError, ReleaseMismatch
from lookalike.observation import observations_table
from monitoring.samples import read_release, same_space, sample_of
from monitoring.settings import DriftSettings
from monitoring.sketch import read_reference
from monitoring.windows import read_window, read_windows
from tests.monitoring.shop import NOW, World, log_queries, make_release, observations

WORLD = World(1, dimension=32)
SETTINGS = DriftSettings()


def rows(count: int, seed: int, dimension: int = 32) -> list:
    return observations(World(1, dimension).vectors(count, seed), seed)


def test_the_window_holds_the_release_s_queries_in_the_order_of_time(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(4, 3))
    log_queries(tmp_path / "log", release, rows(6, 2), end=NOW - timedelta(hours=1))
    window = read_window(tmp_path / "log", release, SETTINGS, NOW)
    expected = np.concatenate([WORLD.vectors(6, 2), WORLD.vectors(4, 3)])
    np.testing.assert_array_equal(window.sample.vectors, expected)
    assert (window.first, window.last) == (NOW - timedelta(hours=1, minutes=5), NOW)
    assert window.excluded == {}


def test_queries_of_another_release_are_left_out_and_counted(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    other, _ = make_release(tmp_path / "releases", rows(5, 1), name="other")
    log_queries(tmp_path / "log", release, rows(4, 2))
    log_queries(tmp_path / "log", other, rows(7, 3))
    window = read_window(tmp_path / "log", release, SETTINGS, NOW)
    assert len(window.sample) == 4
    assert window.excluded == {"another release": 7}


def test_rows_that_claim_the_release_but_come_from_another_model_are_refused(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(4, 2), fingerprint="f" * 64)
    with pytest.raises(ReleaseMismatch, match="made by model ffffffffffff"):
        read_window(tmp_path / "log", release, SETTINGS, NOW)


def test_the_same_photo_counts_once_unless_repeats_are_wanted(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    for _ in range(3):
        log_queries(tmp_path / "log", release, rows(4, 2))
    window = read_window(tmp_path / "log", release, SETTINGS, NOW)
    assert (len(window.sample), window.excluded) == (4, {"the same photo again": 8})
    every = read_window(tmp_path / "log", release, DriftSettings(count_repeats=True), NOW)
    assert (len(every.sample), every.excluded) == (12, {})


def test_the_batch_a_photo_was_embedded_in_does_not_make_it_another_photo(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    vector = WORLD.vectors(1, 2)
    nearly = np.nextafter(vector, np.float32(2))
    log_queries(tmp_path / "log", release, observations(vector, 7), NOW - timedelta(minutes=1))
    log_queries(tmp_path / "log", release, observations(nearly, 7))
    assert read_window(tmp_path / "log", release, SETTINGS, NOW).excluded == {"the same photo again": 1}


def test_vectors_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    broken = observations(np.array([[np.nan] * 32, [1.0] + [0.0] * 31], np.float32), 1)
    release, _ = make_release(tmp_path / "releases", broken)
    log_queries(tmp_path / "log", release, broken)
    window = read_window(tmp_path / "log", release, SETTINGS, NOW)
    assert (len(window.sample), window.excluded) == (1, {"a vector that is no number": 1})


def test_vectors_of_unequal_size_within_a_window_are_refused(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, [*rows(2, 2), *rows(2, 2, dimension=24)])
    with pytest.raises(ReleaseMismatch, match=r"\[24, 32\] dimensions"):
        read_window(tmp_path / "log", release, SETTINGS, NOW)


def test_only_the_newest_rows_before_now_make_a_window(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(80, 2))
    settings = DriftSettings(max_rows=50)
    window = read_window(tmp_path / "log", release, settings, NOW - timedelta(minutes=10))
    np.testing.assert_array_equal(window.sample.vectors, WORLD.vectors(80, 2)[20:70])
    assert window.excluded == {"later than now": 10, "older than the newest that make a window": 20}


def test_hours_bound_the_age_of_a_window(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(90, 2))
    window = read_window(tmp_path / "log", release, DriftSettings(hours=0.5), NOW)
    assert window.first is not None
    assert window.first >= NOW - timedelta(minutes=30)


def test_a_log_that_does_not_exist_yet_is_an_empty_window(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    window = read_window(tmp_path / "nothing", release, SETTINGS, NOW)
    assert (len(window.sample), window.first, window.last) == (0, None, None)


def test_equal_rows_are_the_same_window_and_one_more_row_is_another(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(4, 2), end=NOW - timedelta(minutes=1))
    first = read_window(tmp_path / "log", release, SETTINGS, NOW).digest
    assert read_window(tmp_path / "log", release, SETTINGS, NOW + timedelta(days=1)).digest == first
    log_queries(tmp_path / "log", release, rows(1, 3))
    assert read_window(tmp_path / "log", release, SETTINGS, NOW).digest != first


def test_a_busy_hour_does_not_stand_for_the_day_it_is_thinned_at_random(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(300, 2))
    settings = DriftSettings(hours=4, max_rows=60)
    window = read_window(tmp_path / "log", release, settings, NOW)
    assert window.excluded == {"older than the window": 59, "beyond the largest window, left out at random": 181}
    assert window.first is not None
    assert window.first < NOW - timedelta(hours=3)
    again = read_window(tmp_path / "log", release, settings, NOW)
    assert again.digest == window.digest


def span(first: int, last: int) -> tuple[datetime, datetime]:
    """Minutes before now."""
    return NOW - timedelta(minutes=first), NOW - timedelta(minutes=last)


def test_earlier_windows_are_read_again_by_their_times(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(40, 2))
    parts = read_windows(tmp_path / "log", release, SETTINGS, [span(35, 30), span(20, 11), span(4, 0)], NOW)
    asked = WORLD.vectors(40, 2)
    expected = [asked[4:10], asked[19:29], asked[35:]]
    for part, vectors in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(part.vectors, vectors)


def test_windows_read_again_show_every_photo_once_and_no_early_traffic(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    for day in (1, 0):
        log_queries(tmp_path / "log", release, rows(6, 2), end=NOW - timedelta(days=day))
    days = [(NOW - timedelta(days=1, minutes=9), NOW - timedelta(days=1)), span(9, 0)]
    assert [len(part) for part in read_windows(tmp_path / "log", release, SETTINGS, days, NOW)] == [6, 0]
    repeats = DriftSettings(count_repeats=True)
    assert [len(part) for part in read_windows(tmp_path / "log", release, repeats, days, NOW)] == [6, 6]
    kept = NOW - timedelta(days=1, minutes=2)
    assert [len(part) for part in read_windows(tmp_path / "log", release, repeats, days, NOW, kept)] == [2, 6]


def test_of_every_window_read_again_at_most_the_largest_window_is_taken(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(200, 2))
    parts = read_windows(tmp_path / "log", release, DriftSettings(max_rows=60), [span(199, 100), span(99, 0)], NOW)
    assert [len(part) for part in parts] == [60, 60]


def test_early_traffic_that_became_reference_is_no_window(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(80, 2))
    window = read_window(tmp_path / "log", release, SETTINGS, NOW, after=NOW - timedelta(minutes=30))
    assert (len(window.sample), window.excluded) == (30, {"kept as early traffic": 50})


def test_every_row_of_a_window_can_be_found_in_the_log(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(3, 2))
    window = read_window(tmp_path / "log", release, SETTINGS, NOW)
    assert [each.time for each in window.told] == [(NOW - timedelta(minutes=m)).isoformat() for m in (2, 1, 0)]


def test_missing_scores_and_attributes_are_kept_as_missing(tmp_path: Path) -> None:
    row = rows(1, 1)[0]
    bare = type(row)(row.vector, None, None, {}, {}, 60, 80, 2000)
    kept = sample_of(observations_table([row, bare]))
    assert np.isnan(kept.numbers["top1_score"][1])
    assert np.isnan(kept.numbers["confidence of colour"][1])
    assert np.isnan(kept.numbers["jpeg_quality"][1])
    assert kept.labels["colour"].tolist() == [row.attributes["colour"], None]
    assert kept.numbers["bytes_per_pixel"][1] == 2000 / (60 * 80)


def test_an_empty_answer_is_one_without_hits_and_not_one_whose_filters_left_no_score(tmp_path: Path) -> None:
    release, _ = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(2, 2), hits=("p1", "p2"))
    log_queries(tmp_path / "log", release, rows(1, 3), end=NOW - timedelta(hours=1))
    window = read_window(tmp_path / "log", release, SETTINGS, NOW)
    assert window.sample.numbers["empty_answers"].tolist() == [1.0, 0.0, 0.0]


def test_vectors_of_another_size_cannot_be_compared(tmp_path: Path) -> None:
    release, folder = make_release(tmp_path / "releases", rows(5, 1))
    log_queries(tmp_path / "log", release, rows(4, 2, dimension=24))
    window = read_window(tmp_path / "log", release, SETTINGS, NOW)
    with pytest.raises(ReleaseMismatch, match="32 dimensions, the query log 24"):
        same_space(read_reference(folder, SETTINGS).sample, window.sample)


def test_a_folder_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no release\.json"):
        read_release(tmp_path)
