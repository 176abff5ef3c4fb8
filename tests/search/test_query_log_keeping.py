"""Joining and removing the days of a query log: no row is lost, seen twice or kept too long."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lookalike.errors import ArtifactError
from lookalike.observation import Observation
from lookalike.search.query_log import (
    PARTS,
    LoggedQuery,
    day_folder,
    query_log_table,
    read_query_log,
)
from lookalike.search.query_log_keeping import QueryLogSettings, keep_query_log, keeping
from lookalike.storage import atomic_file

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SEEN = Observation([1.0, 0.0], 0.5, 0.1, {"colour": "red"}, {"colour": 0.9}, 24, 24, 700)


def write_part(folder: Path, time: datetime, number: int) -> None:
    """One query as a part of its day."""
    query = LoggedQuery(time, "r", "m", 1.0, (f"p{number}",), SEEN)
    with atomic_file(day_folder(folder, time.date()) / f"part-{number}.parquet") as aside:
        pq.write_table(query_log_table([query]), aside)


def fill(folder: Path, days: int, per_day: int) -> None:
    """Queries of the days up to NOON's."""
    for day in range(days):
        for number in range(per_day):
            write_part(folder, NOON - timedelta(days=day, minutes=number), day * per_day + number)


def hits(folder: Path, since: datetime | None = None) -> list[str]:
    return [row["hits"][0] for row in read_query_log(folder, since=since).to_pylist()]


def test_finished_days_become_one_part_and_no_row_changes(tmp_path: Path) -> None:
    fill(tmp_path, days=3, per_day=4)
    before = read_query_log(tmp_path)
    keep_query_log(tmp_path, QueryLogSettings(), NOON)
    assert read_query_log(tmp_path).equals(before)
    assert sorted(len(list(day.glob(PARTS))) for day in tmp_path.glob("day=*")) == [1, 1, 4]


def test_a_day_is_finished_an_hour_after_its_end(tmp_path: Path) -> None:
    fill(tmp_path, days=1, per_day=2)
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    for late, parts in ((timedelta(minutes=59), 2), (timedelta(hours=1), 1)):
        keep_query_log(tmp_path, QueryLogSettings(), midnight + late)
        assert len(list(tmp_path.glob(f"day=*/{PARTS}"))) == parts


def test_days_past_the_retention_go_and_no_others(tmp_path: Path) -> None:
    fill(tmp_path, days=5, per_day=1)
    keep_query_log(tmp_path, QueryLogSettings(keep_days=2), NOON)
    assert sorted(hits(tmp_path)) == ["p0", "p1", "p2"]


def test_only_the_days_asked_for_are_opened(tmp_path: Path) -> None:
    fill(tmp_path, days=4, per_day=1)
    (day_folder(tmp_path, (NOON - timedelta(days=3)).date()) / "part-torn.parquet").write_bytes(b"torn")
    assert hits(tmp_path, since=NOON - timedelta(hours=1)) == ["p0"]
    with pytest.raises(ArtifactError, match="part-torn"):
        hits(tmp_path)


def test_a_row_of_after_midnight_in_the_part_of_the_day_before_is_found(tmp_path: Path) -> None:
    after = datetime(2026, 11, 21, 0, 0, 5, tzinfo=UTC)
    query = LoggedQuery(after, "r", "m", 1.0, ("late",), SEEN)
    with atomic_file(day_folder(tmp_path, after.date() - timedelta(days=1)) / "part-1.parquet") as aside:
        pq.write_table(query_log_table([query]), aside)
    assert hits(tmp_path, since=after) == ["late"]


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "day=someday").mkdir()
    fill(tmp_path, days=1, per_day=1)
    keep_query_log(tmp_path, QueryLogSettings(keep_days=1), NOON + timedelta(days=400))
    assert (tmp_path / "day=someday").is_dir() and hits(tmp_path) == []


def test_readers_see_every_row_once_while_days_are_joined(tmp_path: Path) -> None:
    expected, done, seen = 6 * 8, threading.Event(), list[int]()

    def read() -> None:
        while not done.is_set():
            seen.append(len(set(hits(tmp_path))))

    fill(tmp_path, days=6, per_day=8)
    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(5):
        keep_query_log(tmp_path, QueryLogSettings(), NOON + timedelta(days=2))
        for day in range(6):  # a writer of yesterday's, late by a day, so that there is something to join again
            write_part(tmp_path, NOON - timedelta(days=day, hours=turn + 1), day * 8)
    done.set()
    reader.join()
    assert set(seen) == {expected}


def test_nobody_joins_while_somebody_erases(tmp_path: Path) -> None:
    fill(tmp_path, days=3, per_day=2)
    joined = threading.Event()
    joiner = threading.Thread(target=lambda: (keep_query_log(tmp_path, QueryLogSettings(), NOON), joined.set()))
    with keeping(tmp_path):
        joiner.start()
        assert not joined.wait(0.2)
        assert len(list(tmp_path.glob(f"day=*/{PARTS}"))) == 6
    joiner.join()
    assert len(list(tmp_path.glob(f"day=*/{PARTS}"))) == 4
