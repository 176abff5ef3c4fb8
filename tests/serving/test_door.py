"""What is refused at the door costs no task, and its connection stays usable."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lookalike.search.engine import SearchEngine, SearchLimits
from serving.server import SearchServer
from tests.search.shop import photo
from tests.serving.running import Client, put_live, running, settings, until
from tests.serving.test_patience import SHOP, Gates


class Full:
    """A server whose only thread is held, with nobody allowed to wait."""

    def __init__(self, client: Client, gates: Gates, server: SearchServer) -> None:
        self.client, self.gates, self.server = client, gates, server

    def refused(self) -> float:
        lines = self.client.http.get("/metrics").text.splitlines()
        name = 'lookalike_requests_total{protocol="rest",route="refused at the door",status="429"}'
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)), 0.0)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Full]:
    gates, servers = Gates(), list[SearchServer]()
    put_live(tmp_path / "releases", SHOP)
    chosen = settings(tmp_path, overload={"threads": 1, "most_waiting": 0, "answer_seconds": 120})
    make = lambda release: SearchEngine(gates, SHOP.index, SHOP.features, release, SearchLimits(model_seconds=60))  # noqa: E731
    with running(chosen, make, seen=servers.append) as client, ThreadPoolExecutor(1) as thread:
        held = thread.submit(lambda: client.http.post("/search", content=photo(1)).status_code)
        until(lambda: len(gates.asked) == 1)
        yield Full(client, gates, servers[0])
        gates.opened.set()
        assert held.result(30) == 200


def test_a_refusal_says_when_to_come_back_and_whose_it_is(full: Full) -> None:
    with httpx.Client(base_url=full.client.http.base_url) as client:
        refused = client.post("/search", content=photo(2), headers={"X-Request-ID": "mine"})
        assert refused.status_code == 429
        assert refused.json() == {"error": "0 requests wait already, which is all this server takes; try again"}
        assert int(refused.headers["retry-after"]) >= 1
        assert (refused.headers["x-request-id"], refused.headers["content-type"]) == ("mine", "application/json")
        assert len(client.post("/search", content=photo(2)).headers["x-request-id"]) == 32
    assert full.refused() == 2


def test_what_does_not_search_is_let_in_and_a_malformed_deadline_is_explained(full: Full) -> None:
    assert full.client.http.get("/health/ready").status_code == 200
    wrong = full.client.http.post("/search", content=photo(2), headers={"X-Request-Timeout-Ms": "soon"})
    assert (wrong.status_code, "whole milliseconds are accepted" in wrong.text) == (400, True)
    assert full.refused() == 0


def test_the_body_behind_a_refusal_is_not_taken_for_the_next_request(full: Full) -> None:
    body = b"POST /search HTTP/1.1\r\n\r\n" * 4_000  # what it would be if it were read as one
    post = f"POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    last = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    statuses = _statuses(full, post + post + last)
    assert statuses == [429, 429, 200]
    assert full.refused() == 2


def test_a_connection_that_ends_with_its_request_is_closed(full: Full) -> None:
    asked = b"POST /search HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
    assert _statuses(full, asked) == [429]


def _statuses(full: Full, sent: bytes) -> list[int]:
    """Of everything that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", full.server.http_port), 30) as connection:
        connection.sendall(sent)
        received = b""
        while part := connection.recv(65_536):
            received += part
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]
