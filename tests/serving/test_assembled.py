"""The real parts together: an exported model, Milvus, Feast and the server in a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lookalike.errors import ReleaseError
from lookalike.search.query_log import read_query_log
from lookalike.workspace import Workspace
from serving.assemble import assemble
from serving.settings import ServingSettings
from tests.index.stages import drawn_photo
from tests.serving.real_parts import made_shop
from tests.serving.running import Client, instance

PRODUCTS = range(24)
SERVER = """
import json, sys
from serving.run import serve
from serving.settings import ServingSettings
def say(values): sys.stdout.write(json.dumps(values) + chr(10)); sys.stdout.flush()
chosen = ServingSettings.model_validate_json(sys.argv[1])
serve(chosen, lambda rest, grpc: say({"rest": rest, "grpc": grpc}))
say({"loaded": [name for name in ("torch", "transformers", "lightning", "tritonclient") if name in sys.modules]})
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return made_shop(tmp_path_factory.mktemp("shop"), PRODUCTS)


@pytest.fixture(scope="module")
def server(shop: Workspace) -> Iterator[tuple[Client, "subprocess.Popen[str]"]]:
    chosen = ServingSettings.of_workspace(shop, str(shop.milvus), http_port=0, grpc_port=0)
    command = [sys.executable, "-c", SERVER, chosen.model_dump_json()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        with Client(int(ports["rest"].split(":")[-1]), int(ports["grpc"].split(":")[-1])) as client:
            yield client, process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_the_real_parts_find_every_photo_they_hold(
    shop: Workspace, server: tuple[Client, "subprocess.Popen[str]"]
) -> None:
    client, process = server
    assert client.http.get("/health/ready").json()["provider"] == "CPUExecutionProvider"
    for number in PRODUCTS:
        answer = client.v1(instance(drawn_photo(number), k=3)).json()["predictions"][0]
        first = answer["hits"][0]
        assert (first["product_id"], round(first["score"], 4)) == (f"p{number:03}", 1.0)
        assert len({hit["product_id"] for hit in answer["hits"]}) == 3
    remote: Any = client.grpc([drawn_photo(5)], k=3)
    (text,) = remote.outputs[0].contents.bytes_contents
    same = client.http.post("/search?k=3", content=drawn_photo(5)).json()
    assert json.loads(text)["hits"] == same["hits"]
    assert all("features" in hit for hit in same["hits"]), same
    reds = client.http.get("/products/p001/similar?colour=red&k=100").json()["hits"]
    assert sorted(hit["product_id"] for hit in reds) == [f"p{number:03}" for number in PRODUCTS if number % 3 == 0]
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"loaded": []}  # nothing of training, with the real parts too
    assert process.wait(30) == 0
    assert len(read_query_log(shop.query_log)) == len(PRODUCTS) + 2


def test_no_release_is_a_sentence_unless_the_server_may_wait(tmp_path: Path) -> None:
    empty = Workspace(tmp_path)
    with pytest.raises(ReleaseError, match="no release is in service"):
        assemble(ServingSettings.of_workspace(empty, str(empty.milvus), http_port=0, grpc_port=0))
