"""Alertmanager's webhook: who may call it, what it takes, and how often it starts a watch."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.alert_webhook import MOST_BYTES, Webhook, webhook_application
from lookalike.errors import BackendUnavailable
from monitoring.runs.memory import MemoryTrigger
from monitoring.runs.protocol import RunRequest
from pipelines.compiled import COMPILED
from serving.access.keys import load_keys, new_key

WATCH = {"catalogue": "c", "workspace": "w", "milvus_uri": "m", "recipe": "epochs: 1"}


def delivery(status: str = "firing", began: str = "2026-03-01T12:00:00.512Z", **more: Any) -> dict[str, Any]:
    """As Alertmanager 0.28 sends it."""
    alert = {
        "status": status,
        "labels": {"alertname": "QueriesDrifted", "release": "0123456789ab"},
        "annotations": {"summary": "the queries drifted"},
        "startsAt": began,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
        "fingerprint": "c1ac8f2a0d9b2f1e",
    }
    return {
        "receiver": "lookalike",
        "status": status,
        "alerts": [alert],
        "groupLabels": {"alertname": "QueriesDrifted"},
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": '{}:{alertname="QueriesDrifted"}',
        "truncatedAlerts": 0,
        **more,
    }


class Caller:
    """A webhook and somebody with a key."""

    def __init__(self, folder: Path) -> None:
        self.runs, self.alerts = MemoryTrigger(COMPILED), folder / "alerts"
        self.key = new_key(folder / "keys.yaml", "alertmanager")
        webhook = Webhook(load_keys(f"file:{folder / 'keys.yaml'}"), self.alerts, self.runs, WATCH)
        self.client = TestClient(webhook_application(webhook))

    def post(self, body: Any, key: str | None = None, **more: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.key if key is None else key}"} if key != "" else {}
        return self.client.post("/alerts", content=content, headers=headers, **more)


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    return Caller(tmp_path)


def test_a_firing_alert_starts_one_watch_however_often_it_is_delivered(caller: Caller) -> None:
    first = caller.post(delivery())
    assert (first.status_code, first.json()) == (200, {"run": "run-1"})
    grown = delivery(truncatedAlerts=3)
    assert [caller.post(again).json() for again in (delivery(), grown)] == [{"run": "run-1"}] * 2
    (request,) = caller.runs.requests
    assert (request.pipeline, dict(request.arguments)) == ("watch", WATCH)
    assert request.name.startswith("watch-alert-")
    assert len(list(caller.alerts.iterdir())) == 2, "what is repeated word for word is kept once"


def test_deliveries_at_once_start_one_watch(caller: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: caller.post(delivery()).json()["run"], range(16)))
    assert set(answers) == {"run-1"}
    assert len(caller.runs.requests) == 1


def test_an_alert_that_fires_anew_starts_another_watch(caller: Caller) -> None:
    caller.post(delivery())
    assert caller.post(delivery(began="2026-03-05T08:00:00Z")).json() == {"run": "run-2"}


def test_a_resolved_alert_is_kept_and_starts_nothing(caller: Caller) -> None:
    answer = caller.post(delivery(status="resolved"))
    assert (answer.status_code, answer.json()) == (200, {"run": None})
    (kept,) = caller.alerts.iterdir()
    assert json.loads(kept.read_text())["status"] == "resolved"
    assert caller.runs.requests == []


@pytest.mark.parametrize("key", ["", "lk_guessed", "é", "x" * 10_000])
def test_without_a_known_key_nothing_is_read_or_kept(caller: Caller, key: str) -> None:
    answer = caller.client.post("/alerts", content=b"{", headers={"authorization": f"Bearer {key}".encode()})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert not caller.alerts.exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "the delivery is not JSON"),
        (b"\xff", "the delivery is not JSON"),
        (b"[" * 100_000, "the delivery is not JSON"),
        (b"[]", "must hold a mapping"),
        (delivery(version="5"), "version is '5'"),
        (delivery(alerts=[]), "alerts is []"),
        (delivery(status="pending"), "status is 'pending'"),
        (delivery(began="yesterday"), "alerts.0.startsAt is 'yesterday'"),
        (delivery(run="rm"), "unknown setting 'run'"),
        ({name: value for name, value in delivery().items() if name != "groupKey"}, "groupKey"),
    ],
)
def test_what_alertmanager_would_not_send_is_refused_in_words(caller: Caller, body: Any, sentence: str) -> None:
    answer = caller.post(body)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]
    assert caller.runs.requests == []


def test_a_body_beyond_the_limit_is_refused_whether_or_not_it_says_so(caller: Caller) -> None:
    assert caller.post(b" " * (MOST_BYTES + 1)).status_code == 413
    parts = (b" " * 65_536 for _ in range(8))
    headers = {"authorization": f"Bearer {caller.key}"}
    assert caller.client.post("/alerts", content=parts, headers=headers).status_code == 413


def test_a_place_that_is_away_is_answered_so_that_alertmanager_tries_again(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(request: RunRequest) -> str:
        raise BackendUnavailable("no KFP server answers at http://10.0.0.7:8888")

    monkeypatch.setattr(caller.runs, "start", away)
    with caplog.at_level(logging.ERROR):
        answer = caller.post(delivery())
    assert answer.status_code == 503
    assert "10.0.0.7" not in answer.text
    assert "10.0.0.7" in caplog.text


def test_whether_it_listens_is_told_to_everybody_and_nothing_else(caller: Caller) -> None:
    assert caller.client.get("/health").json() == {"listening": True}
    assert caller.client.get("/alerts").status_code == 405
