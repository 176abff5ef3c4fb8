"""Deadlines, disconnects and refusals, over real connections to a real server."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2
from numpy.typing import NDArray

from lookalike.deadline import Deadline
from lookalike.embedders.protocol import Embeddings
from lookalike.search.engine import SearchEngine, SearchLimits
from serving.server import SearchServer
from tests.search.shop import Shop, photo
from tests.serving.running import Client, instance, json_tensor, put_live, running, settings, until

SHOP = Shop()


class Gates:
    """The shop's embedder behind a gate that stops for nobody; it keeps the deadlines it was asked under."""

    def __init__(self) -> None:
        self.identity = SHOP.embedder.identity
        self.opened = threading.Event()
        self.asked: list[Deadline] = []

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        self.asked.append(Deadline.current())
        assert self.opened.wait(120)
        return SHOP.embedder.embed(pixels)


class Scene:
    """A running server with one thread, and the gate in it."""

    def __init__(self, client: Client, gates: Gates, server: SearchServer) -> None:
        self.client, self.gates, self.queue = client, gates, server.model.queue

    def post(self, seed: int = 1, **headers: str) -> int:
        return self.client.http.post("/search", content=photo(seed), headers=headers).status_code

    def idle(self) -> bool:
        return not self.queue.under_way and not self.queue.waiting


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    gates = Gates()
    servers: list[SearchServer] = []
    put_live(tmp_path / "releases", SHOP)
    chosen = settings(tmp_path, overload={"threads": 1, "most_waiting": 2, "answer_seconds": 120})
    make = lambda release: SearchEngine(gates, SHOP.index, SHOP.features, release, SearchLimits(model_seconds=60))  # noqa: E731
    with running(chosen, make, seen=servers.append) as client:
        try:
            yield Scene(client, gates, servers[0])
        finally:
            gates.opened.set()


def test_a_callers_deadline_answers_in_time_though_a_part_does_not_look_at_it(scene: Scene) -> None:
    late = scene.client.http.post("/search", content=photo(1), headers={"X-Request-Timeout-Ms": "300"})
    assert (late.status_code, late.json()["error"]) == (504, "the answer was not there in time")
    late = scene.client.http.get("/products/p000/similar", headers={"X-Request-Timeout-Ms": "0"})
    assert late.status_code == 504
    assert all(deadline.abandoned for deadline in scene.gates.asked)
    scene.gates.opened.set()
    until(scene.idle)
    assert scene.post() == 200


def test_the_deadline_of_a_grpc_call_reaches_the_model(scene: Scene) -> None:
    request = v2.ModelInferRequest(model_name="lookalike")
    request.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(photo(1))
    for seconds in (0.3, 3.0, 30.0):  # a busy machine may need longer to come as far as the model
        with pytest.raises(grpc.RpcError) as late:
            scene.client.stub.ModelInfer(request, timeout=seconds)
        assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED  # type: ignore[attr-defined]
        if scene.gates.asked:
            break
    until(lambda: scene.gates.asked[0].remaining() == 0)
    scene.gates.opened.set()
    until(scene.idle)


@pytest.mark.parametrize("given", ["soon", "-1", "1.5", "١٢"])
def test_a_timeout_that_is_no_number_is_refused(scene: Scene, given: str) -> None:
    refused = scene.client.http.post("/search", content=photo(1), headers={b"X-Request-Timeout-Ms": given.encode()})
    assert (refused.status_code, "whole milliseconds" in refused.json()["error"]) == (400, True)


def test_who_hangs_up_stops_the_work_in_its_thread_and_leaves_the_queue(scene: Scene) -> None:
    head = f"POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: {len(photo(1))}\r\n\r\n".encode()
    address = ("127.0.0.1", scene.client.http.base_url.port)
    first, second = (socket.create_connection(address, timeout=30) for _ in range(2))
    first.sendall(head + photo(1))
    until(lambda: len(scene.gates.asked) == 1)
    second.sendall(head + photo(1))
    until(lambda: scene.queue.waiting == 1)
    second.close()
    until(lambda: scene.queue.waiting == 0)
    first.close()
    until(lambda: scene.gates.asked[0].abandoned)
    scene.gates.opened.set()
    until(scene.idle)
    assert len(scene.gates.asked) == 1  # what waited was never begun
    assert scene.post() == 200


def test_a_grpc_call_that_is_cancelled_is_abandoned(scene: Scene) -> None:
    request = v2.ModelInferRequest(model_name="lookalike")
    request.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(photo(1))
    call = scene.client.stub.ModelInfer.future(request)
    until(lambda: len(scene.gates.asked) == 1)
    call.cancel()
    until(lambda: scene.gates.asked[0].abandoned)
    scene.gates.opened.set()
    until(scene.idle)


def test_a_full_server_refuses_before_a_body_is_sent_and_says_when_to_come_back(scene: Scene) -> None:
    with ThreadPoolExecutor(3) as threads:
        taken = [threads.submit(scene.post, seed) for seed in range(3)]
        until(lambda: scene.queue.waiting == 2)
        with socket.create_connection(("127.0.0.1", scene.client.http.base_url.port), timeout=30) as caller:
            caller.sendall(b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")  # and no body
            refusal = caller.recv(4096).decode()
        assert refusal.startswith("HTTP/1.1 429") and "retry-after: 1\r\n" in refusal
        with pytest.raises(grpc.RpcError) as refused:
            scene.client.grpc([photo(1)])
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED  # type: ignore[attr-defined]
        assert dict(refused.value.trailing_metadata())["retry-after"] == "1"  # type: ignore[attr-defined]
        for path in ("/health/live", "/health/ready", "/v2/health/ready"):
            assert scene.client.http.get(path).status_code == 200
        figures = scene.client.http.get("/metrics").text
        assert "\nlookalike_searches_under_way 1.0\n" in figures and "\nlookalike_searches_waiting 2.0\n" in figures
        scene.gates.opened.set()
        assert [task.result(30) for task in taken] == [200] * 3


def test_a_connection_that_was_refused_stays_usable(scene: Scene) -> None:
    with ThreadPoolExecutor(3) as threads:
        taken = [threads.submit(scene.post, seed) for seed in range(3)]
        until(lambda: scene.queue.waiting == 2)
        assert [scene.post() for _ in range(5)] == [429] * 5
        scene.gates.opened.set()
        assert [task.result(30) for task in taken] == [200] * 3
    assert scene.post() == 200


def test_a_body_that_trickles_in_ends_with_its_deadline(scene: Scene) -> None:
    with socket.create_connection(("127.0.0.1", scene.client.http.base_url.port), timeout=30) as caller:
        caller.sendall(
            b"POST /search HTTP/1.1\r\nHost: x\r\nX-Request-Timeout-Ms: 100\r\nContent-Length: 9000\r\n\r\nJ"
        )
        answer = caller.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 504")
    assert scene.gates.asked == [] and scene.idle()


def test_who_hangs_up_while_sending_is_no_fault_of_the_servers(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", scene.client.http.base_url.port), timeout=30) as caller:
        caller.sendall(b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nJPE")
    scene.gates.opened.set()
    assert [scene.post() for _ in range(3)] == [200] * 3
    assert scene.idle() and not [record for record in caplog.records if record.exc_info]


def test_the_event_loop_goes_on_while_searches_are_held_and_large_requests_are_read(scene: Scene) -> None:
    many = {"instances": [instance(bytes(2_000_000))] * 4}
    with ThreadPoolExecutor(3) as threads:
        held = [threads.submit(scene.post, seed) for seed in range(2)]
        until(lambda: scene.queue.waiting == 1)
        large = threads.submit(scene.client.http.post, "/v1/models/lookalike:predict", json=many)
        beats = [scene.client.http.get("/health/live").status_code for _ in range(50)]
        until(lambda: scene.queue.waiting == 2)
        assert beats == [200] * 50 and not large.done()  # its eight megabytes are read in a thread, at its turn
        scene.gates.opened.set()
        assert large.result(30).status_code == 400
        assert [task.result(30) for task in held] == [200] * 2


def test_a_large_request_of_the_v2_protocol_is_read_at_its_turn_too(scene: Scene) -> None:
    broken = json.dumps({"inputs": [json_tensor([bytes(1000)])]}).encode() + b"}"
    with ThreadPoolExecutor(2) as threads:
        held = threads.submit(scene.post)
        until(lambda: len(scene.gates.asked) == 1)
        headers = {"Content-Type": "application/json"}
        read = threads.submit(scene.client.http.post, "/v2/models/lookalike/infer", content=broken, headers=headers)
        until(lambda: scene.queue.waiting == 1 or read.done())
        assert not read.done()  # nobody has looked at it yet
        scene.gates.opened.set()
        assert (read.result(30).status_code, held.result(30)) == (400, 200)
