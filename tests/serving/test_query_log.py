"""The query log: what was asked comes back as it was, and only whole parts are ever seen."""

import logging
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lookalike.errors import ArtifactError
from lookalike.observation import REFERENCE_SCHEMA
from lookalike.search.answer import SearchAnswer
from lookalike.search.query import SearchRequest
from lookalike.search.query_log import QUERY_LOG_SCHEMA, read_query_log
from lookalike.search.query_log_keeping import QueryLogSettings
from serving.query_log import QueryLog
from tests.search.shop import Shop, photo
from tests.serving.running import engines_of, instance, put_live, running, settings, until

SHOP = Shop()
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


ASKED = SearchRequest(photo=b"-")
"""Of a request the log keeps whether it asked by photo or by product."""


def answers(count: int, **more: object) -> list[SearchAnswer]:
    engine = engines_of(SHOP)(SHOP.release)
    return [engine.search(SearchRequest(photo=photo(seed), k=3, **more)) for seed in range(count)]  # type: ignore[arg-type]


def manual(folder: Path, **more: object) -> QueryLog:
    """A log that writes only when told to, one minute per query."""
    minutes = iter(range(1000))
    clock = lambda: NOON + timedelta(minutes=next(minutes))  # noqa: E731
    return QueryLog(folder, QueryLogSettings(**{"seconds_per_part": 3600, **more}), now=clock)


def test_a_query_comes_back_as_it_was_answered(tmp_path: Path) -> None:
    asked, log = answers(3), manual(tmp_path)
    for answer in asked:
        log.add(answer, ASKED)
    log.close()
    table = read_query_log(tmp_path)
    assert table.schema.equals(QUERY_LOG_SCHEMA)
    for row, answer in zip(table.to_pylist(), asked, strict=True):
        seen = answer.observation
        assert seen is not None
        assert row["release_id"] == SHOP.release.release_id
        assert row["model_fingerprint"] == SHOP.release.model_fingerprint
        assert row["hits"] == [hit.product_id for hit in answer.hits]
        assert row["latency_ms"] == pytest.approx(answer.timings_ms["total"], rel=1e-6)
        np.testing.assert_array_equal(row["vector"], np.array(seen.vector, dtype=np.float32))
        assert row["top1_score"] == pytest.approx(seen.top1_score, rel=1e-6)
        assert dict(row["attributes"]) == seen.attributes
        assert (row["photo_width"], row["photo_bytes"]) == (seen.photo_width, seen.photo_bytes)
    assert [row["time"] for row in table.to_pylist()] == [NOON + timedelta(minutes=n) for n in range(3)]


def test_replicas_that_write_in_the_same_moment_overwrite_nothing(tmp_path: Path) -> None:
    (answer,) = answers(1)
    replicas = [manual(tmp_path), manual(tmp_path)]
    for replica in replicas:
        replica.add(answer, ASKED)
        replica.close()
    assert read_query_log(tmp_path)["time"].to_pylist() == [NOON, NOON]


def test_the_log_holds_what_the_reference_holds_and_never_a_photo() -> None:
    assert [field for field in QUERY_LOG_SCHEMA if field.name in REFERENCE_SCHEMA.names] == list(REFERENCE_SCHEMA)
    assert not [field for field in QUERY_LOG_SCHEMA if pa.types.is_binary(field.type)]


def test_reading_narrows_to_a_release_and_a_time(tmp_path: Path) -> None:
    log = manual(tmp_path)
    for answer in answers(4):
        log.add(answer, ASKED)
        log.flush()
    log.close()
    assert len(list(tmp_path.glob("day=2026-11-21/*"))) == 4
    assert len(read_query_log(tmp_path, release_id=SHOP.release.release_id)) == 4
    assert len(read_query_log(tmp_path, release_id="another")) == 0
    assert len(read_query_log(tmp_path, since=NOON + timedelta(minutes=2))) == 2
    assert read_query_log(tmp_path / "not there yet").schema.equals(QUERY_LOG_SCHEMA)


def test_a_part_is_written_when_it_is_full_and_when_its_time_is_up(tmp_path: Path) -> None:
    by_count = QueryLog(tmp_path / "a", QueryLogSettings(rows_per_part=3, seconds_per_part=3600))
    by_time = QueryLog(tmp_path / "b", QueryLogSettings(seconds_per_part=0.05))
    for answer in answers(3):
        by_count.add(answer, ASKED)
    by_time.add(answers(1)[0], ASKED)
    until(lambda: len(read_query_log(tmp_path / "a")) == 3 and len(read_query_log(tmp_path / "b")) == 1)
    by_count.close()
    by_time.close()
    assert len(list((tmp_path / "a").glob("day=*/*"))) == 1


def test_a_product_asked_with_is_logged_for_feedback_and_never_watched(tmp_path: Path) -> None:
    log, engine = manual(tmp_path), engines_of(SHOP)(SHOP.release)
    asked = SearchRequest(product_id="p001", k=3)
    answer = engine.search(asked)
    log.add(answer, asked, "r1")
    assert answer.next_cursor is not None
    further = SearchRequest(product_id="p001", k=3, cursor=answer.next_cursor)
    log.add(engine.search(further), further, "r2")  # only first pages are logged: places count from the first answer
    log.add(answers(1)[0], ASKED, "r3")
    log.close()
    assert read_query_log(tmp_path)["request_id"].to_pylist() == ["r3"]
    row, photo_row = read_query_log(tmp_path, photos_only=False).to_pylist()
    assert (row["request_id"], row["product_id"], row["vector"]) == ("r1", "p001", None)
    assert row["hits"] == [hit.product_id for hit in answer.hits]
    assert row["scores"] == pytest.approx([hit.score for hit in answer.hits], rel=1e-6)
    assert (photo_row["request_id"], photo_row["product_id"]) == ("r3", None)


def test_a_log_that_cannot_be_written_costs_rows_and_never_an_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    log = manual(tmp_path / "log")
    with caplog.at_level(logging.ERROR):
        log.add(answers(1)[0], ASKED)
        log.close()
    assert "1 rows of the query log are lost" in caplog.text


def test_a_foreign_part_is_named(tmp_path: Path) -> None:
    (tmp_path / "day=2026-11-21").mkdir()
    pq.write_table(pa.table({"x": [1]}), tmp_path / "day=2026-11-21" / "part-foreign.parquet")
    with pytest.raises(ArtifactError, match="part-foreign"):
        read_query_log(tmp_path)
    (tmp_path / "day=2026-11-21" / "part-foreign.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(ArtifactError, match="not a part of a query log"):
        read_query_log(tmp_path)


WRITER = """
import sys
from pathlib import Path
from lookalike.search.query_log_keeping import QueryLogSettings
from serving.query_log import QueryLog
from tests.serving.test_query_log import ASKED, answers
log, asked = QueryLog(Path(sys.argv[1]), QueryLogSettings(seconds_per_part=3600)), answers(5)
while True:
    for answer in asked:
        log.add(answer, ASKED)
    log.flush()
"""


def test_a_kill_leaves_whole_parts_only(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)])
    try:
        until(lambda: len(list(tmp_path.glob("day=*/part-*"))) > 20, seconds=60)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    parts = len(list(tmp_path.glob("day=*/part-*")))
    day = next(tmp_path.glob("day=*"))
    (day / ".part-x.parquet.abc.partial.parquet").write_bytes(b"PAR1")  # what a kill may leave
    assert len(read_query_log(tmp_path)) == 5 * parts


def test_a_server_logs_what_it_answers_and_writes_the_rest_when_it_ends(tmp_path: Path) -> None:
    put_live(tmp_path / "releases", SHOP)
    log = manual(tmp_path / "log")
    with running(settings(tmp_path), engines_of(SHOP), log) as client:
        shown = [client.v1(instance(photo(seed), k=4)).json()["predictions"][0] for seed in range(3)]
        client.v1(instance(b"damaged"))
        assert len(read_query_log(tmp_path / "log")) == 0
    rows = read_query_log(tmp_path / "log").to_pylist()
    assert [row["hits"] for row in rows] == [[hit["product_id"] for hit in answer["hits"]] for answer in shown]


def test_a_sampled_log_keeps_the_queries_that_were_drawn(tmp_path: Path) -> None:
    drawn = iter([0.1, 0.9, 0.24, 0.25])
    log = QueryLog(tmp_path, QueryLogSettings(sample=0.25, seconds_per_part=3600), draw=lambda: next(drawn))
    asked = answers(4)
    for answer in asked:
        log.add(answer, ASKED)
    log.close()
    kept = [row["hits"] for row in read_query_log(tmp_path).to_pylist()]
    assert kept == [[hit.product_id for hit in asked[row].hits] for row in (0, 2)]


def test_the_writer_looks_after_old_days(tmp_path: Path) -> None:
    today = [NOON]
    log = QueryLog(tmp_path, QueryLogSettings(keep_days=30, seconds_per_part=0.02), now=lambda: today[0])
    log.add(answers(1)[0], ASKED)
    until(lambda: len(read_query_log(tmp_path)) == 1)
    today[0] = NOON + timedelta(days=40)
    until(lambda: len(read_query_log(tmp_path)) == 0)
    log.close()
