"""How a run ended, told to people: written down always, posted where it failed and an address is given."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitoring import stages
from monitoring.notice import ADVICE, KEPT_NOTICES, Failure, Notice, keep_notice
from pipelines.compiled import COMPILED

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDED = ("training", "training-1", "run-1")


class Channel:
    """A chat that takes messages over HTTP, or refuses them."""

    def __init__(self) -> None:
        self.status, self.url = 200, ""
        self.said: list[Any] = []


@pytest.fixture
def channel() -> Iterator[Channel]:
    heard = Channel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.said.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(heard.status)
            self.end_headers()

        def log_message(self, *values: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    heard.url = f"http://127.0.0.1:{server.server_port}/services/secret"
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()


def noted(shop: Path) -> dict[str, Any]:
    return dict(json.loads((shop / "notices" / "training-1.json").read_text()))


@pytest.fixture
def failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local runner's note of what failed."""
    note = tmp_path / "failures.json"
    note.write_text(json.dumps([{"task": "build-index", "reason": "Milvus is away", "log": "/shop/pipeline.log"}]))
    monkeypatch.setenv("LOOKALIKE_FAILURES", str(note))
    return note


def test_a_failure_says_what_why_where_and_what_to_do(tmp_path: Path, failed: Path) -> None:
    stages.tell(*ENDED, "FAILED", "", workspace=str(tmp_path))
    text = noted(tmp_path)["text"]
    for part in ("run training-1 failed", "build-index: Milvus is away", "/shop/pipeline.log", ADVICE["build-index"]):
        assert part in text


def test_a_failure_is_posted_as_one_message(
    tmp_path: Path, failed: Path, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_NOTICES", channel.url)
    stages.tell(*ENDED, "FAILED", "", workspace=str(tmp_path))
    assert channel.said == [{"text": noted(tmp_path)["text"]}]


def test_a_success_is_written_down_and_nobody_is_bothered(
    tmp_path: Path, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_NOTICES", channel.url)
    stages.tell(*ENDED, "SUCCEEDED", "", workspace=str(tmp_path))
    assert (noted(tmp_path)["succeeded"], channel.said) == (True, [])


@pytest.mark.parametrize("away", [True, False])
def test_a_notice_that_cannot_be_posted_fails_nothing_and_keeps_the_address_to_itself(
    tmp_path: Path,
    failed: Path,
    channel: Channel,
    away: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    channel.status = 404
    monkeypatch.setenv("LOOKALIKE_NOTICES", "http://127.0.0.1:9/services/secret" if away else channel.url)
    stages.tell(*ENDED, "FAILED", "", workspace=str(tmp_path))
    assert noted(tmp_path)["failures"]
    assert "127.0.0.1" in caplog.text
    assert "secret" not in caplog.text


def test_where_nobody_can_be_asked_kfp_s_own_words_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKALIKE_FAILURES", raising=False)
    monkeypatch.setenv("LOOKALIKE_KFP", "http://127.0.0.1:9")
    stages.tell(*ENDED, "FAILED", "training-steps failed", workspace=str(tmp_path))
    assert "What failed: training-steps failed. Look at run run-1" in noted(tmp_path)["text"]


def test_advice_is_given_for_tasks_that_there_are() -> None:
    tasks = "".join(path.read_text() for path in COMPILED.glob("*.yaml"))
    assert [task for task in ADVICE if f"comp-{task}:" not in tasks] == []


def test_the_newest_notices_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT_NOTICES):
        (tmp_path / f"old-{number}.json").touch()
    keep_notice(tmp_path, Notice(pipeline="watch", run="new", run_id="1", succeeded=True, written=NOW))
    assert len(list(tmp_path.glob("*.json"))) == KEPT_NOTICES
    assert (tmp_path / "new.json").is_file()


def test_a_failure_without_a_reason_says_so() -> None:
    failures = (Failure(task="split-catalogue"),)
    notice = Notice(pipeline="training", run="x", run_id="1", succeeded=False, failures=failures, written=NOW)
    assert "split-catalogue: no reason given\n" in notice.text
