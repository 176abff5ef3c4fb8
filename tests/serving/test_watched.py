"""Every request leaves a count and a line, by the server's own names and without what was sent."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from serving.live import LiveEngine
from serving.logs import ACCESS, configure_logs
from serving.metrics import SearchMetrics
from serving.watched import Watched
from tests.search.shop import Shop, photo
from tests.serving.running import Client, engines_of, instance, put_live, running, settings

SHOP = Shop()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    put_live(tmp_path / "releases", SHOP)
    with running(settings(tmp_path), engines_of(SHOP)) as client:
        yield client


def counted(client: Client, start: str) -> float:
    rows = client.http.get("/metrics").text.splitlines()
    return sum(float(row.rsplit(" ", 1)[1]) for row in rows if row.startswith(start))


def test_requests_are_counted_by_route_and_status_on_both_protocols(client: Client) -> None:
    client.v1(instance(photo(1)))
    client.v1(instance(b"no photo"))
    client.http.get("/products/p001/similar")
    client.http.get("/products/nobody/similar")
    client.grpc([photo(1)])
    predict = 'lookalike_requests_total{protocol="rest",route="/v1/models/{model_name}:predict"'
    assert counted(client, predict + ',status="200"}') == 1
    assert counted(client, predict + ',status="400"}') == 1
    similar = 'lookalike_requests_total{protocol="rest",route="/products/{product_id:path}/similar"'
    assert counted(client, similar + ',status="200"}') == 1
    assert counted(client, similar) == 2
    assert counted(client, 'lookalike_requests_total{protocol="grpc",route="ModelInfer",status="OK"}') == 1


def test_paths_of_strangers_are_no_labels(client: Client) -> None:
    for path in ("/no/such/page", "/products/x%0Ainjected/nothing"):
        assert client.http.get(path).status_code == 404
    assert counted(client, 'lookalike_requests_total{protocol="rest",route="unknown",status="404"}') == 2
    assert "injected" not in client.http.get("/metrics").text


def test_searches_are_counted_under_their_release(client: Client) -> None:
    client.v1(instance(photo(1)))
    release = SHOP.release.release_id[:12]
    for name in ("lookalike_hits_total", "lookalike_photo_bytes_count", "lookalike_search_seconds_count"):
        assert counted(client, name + "{") > 0
        rows = [row for row in client.http.get("/metrics").text.splitlines() if row.startswith(name + "{")]
        assert all(f'release="{release}"' in row for row in rows)


def test_an_answer_carries_the_callers_request_id_or_a_new_one(client: Client) -> None:
    given = client.http.get("/products/p001/similar", headers={"x-request-id": "cart-17"})
    assert given.headers["x-request-id"] == "cart-17"
    forged = client.http.get("/products/p001/similar", headers={"x-request-id": "a b\tc"})
    assert len(forged.headers["x-request-id"]) == 32


def test_every_request_leaves_one_line_without_what_was_sent(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        client.http.post("/search?k=3", files={"photo": ("secret-name.png", photo(1))}, headers={"x-request-id": "one"})
        client.http.get("/metrics")
    (line,) = [record for record in caplog.records if record.name == ACCESS]
    assert (line.route, line.status, line.request_id) == ("/search", 200, "one")  # type: ignore[attr-defined]
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx"]  # the client's own lines
    assert not [text for text in ours if "secret-name" in text or "k=3" in text]


def test_json_lines_can_be_taken_apart(caplog: pytest.LogCaptureFixture) -> None:
    root, handler = logging.getLogger(), logging.StreamHandler()
    before = root.level
    root.addHandler(handler)
    try:
        configure_logs("json")
        record = logging.LogRecord("serving.access", logging.INFO, "x", 1, "GET %s", ("/search",), None)
        record.status = 200
        line = json.loads(handler.format(record))
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        for kept in root.handlers:
            kept.setFormatter(None)
    assert line["message"] == "GET /search" and line["status"] == 200 and line["level"] == "INFO"


@pytest.mark.parametrize(("status", "lines"), [(200, 1), (404, 1), (429, 0)])
def test_a_flood_of_refusals_is_counted_and_not_told(
    status: int, lines: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = SearchMetrics(LiveEngine(tmp_path, engines_of(SHOP)))

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def ignore(message: object = None) -> None:
        """Neither anything sent nor anything to read."""

    scope = {"type": "http", "method": "POST", "headers": [], "app": None}
    with caplog.at_level(logging.INFO):
        asyncio.run(Watched(answers, metrics, None)(scope, ignore, ignore))  # type: ignore[arg-type]
    assert len([record for record in caplog.records if record.name == ACCESS]) == lines
    counted = metrics._registry.get_sample_value(
        "lookalike_requests_total", {"protocol": "rest", "route": "unknown", "status": str(status)}
    )
    assert counted == 1
