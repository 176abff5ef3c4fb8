"""The server as its own process: a SIGTERM loses nothing, training's libraries are never imported."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import httpx
import pytest

from lookalike.errors import ConfigError
from lookalike.search.query_log import read_query_log
from serving.live import LiveEngine
from serving.rest_server import listen
from serving.server import SearchServer
from tests.search.shop import Shop, photo
from tests.serving.running import Client, engines_of, instance, put_live, running, settings, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.serving.twin_server", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def said(output: IO[str] | None) -> dict:
    assert output is not None
    return json.loads(output.readline())


def test_sigterm_finishes_what_is_under_way_and_writes_the_log(server: "subprocess.Popen[str]", tmp_path: Path) -> None:
    ports = said(server.stdout)
    with Client(ports["http"], ports["grpc"]) as client, ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(client.v1, instance(photo(1)))
        until((tmp_path / "arrived").exists)
        server.send_signal(signal.SIGTERM)
        until(lambda: refused(ports["http"]))
        assert not under_way.done()
        (tmp_path / "opened").touch()
        answered = under_way.result(30)
    assert answered.status_code == 200
    assert said(server.stdout) == {"loaded": []}  # neither torch nor transformers nor lightning
    assert server.wait(30) == 0
    (row,) = read_query_log(tmp_path / "log").to_pylist()
    assert row["hits"] == [hit["product_id"] for hit in answered.json()["predictions"][0]["hits"]]


def refused(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/v2/health/live", timeout=5)
    except httpx.TransportError:
        return True
    return False


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    put_live(tmp_path / "releases", shop := Shop())
    with running(settings(tmp_path), engines_of(shop)) as client:
        taken = client.http.base_url.port
        chosen = settings(tmp_path, http_port=taken)
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{taken}"):
            SearchServer(chosen, LiveEngine(chosen.releases, engines_of(shop)), None).run()
        chosen = settings(tmp_path, grpc_port=client.grpc_port)
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{client.grpc_port} for gRPC"):
            SearchServer(chosen, LiveEngine(chosen.releases, engines_of(shop)), None).run()


def test_nothing_listens_beyond_loopback_unless_asked(tmp_path: Path) -> None:
    """KServe itself listens on every address."""
    put_live(tmp_path / "releases", shop := Shop())
    with running(settings(tmp_path), engines_of(shop)) as client:
        ports = {client.http.base_url.port, client.grpc_port}
        listening = {port: address for address, port in listeners() if port in ports}
    assert listening.keys() == ports
    assert all(address.endswith("0100007F") for address in listening.values())  # 127.0.0.1, also inside IPv6


def listeners() -> list[tuple[str, int]]:
    """(address, port) of every listening TCP socket, IPv4 in hexadecimal; IPv6 ones have longer addresses."""
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return [(row[1].split(":")[0], int(row[1].split(":")[1], 16)) for row in rows if row[3] == "0A"]


def test_the_server_is_a_kserve_model_server() -> None:
    from kserve import ModelServer

    assert issubclass(SearchServer, ModelServer)


def test_small_answers_leave_at_once() -> None:
    """asyncio turns Nagle's algorithm off only for sockets that say TCP; else each answer waits 40 ms for its ACK."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
