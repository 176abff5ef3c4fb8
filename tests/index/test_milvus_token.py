"""Milvus is told who asks, from the environment or from the address; nobody else is."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from app.cli import app
from lookalike.errors import LookalikeError
from lookalike.stages.arguments import MILVUS_TOKEN, collections_at
from serving.settings import ServingSettings


@dataclass
class Listening(grpc.GenericRpcHandler):
    """A server that notes how callers name themselves, and does nothing for any."""

    port: int = 0
    heard: set[str] = field(default_factory=set)

    def service(self, call: grpc.HandlerCallDetails) -> None:
        for name, value in call.invocation_metadata:
            if name == "authorization":
                self.heard.add(base64.b64decode(value).decode())


@pytest.fixture
def milvus() -> Iterator[Listening]:
    handler = Listening()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[handler])
    handler.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler
    server.stop(None).wait()


def test_collections_are_opened_with_the_environment_s_token(
    milvus: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MILVUS_TOKEN, "shop:a secret/with@odd:signs")
    with pytest.raises(LookalikeError), collections_at(f"http://127.0.0.1:{milvus.port}"):
        pass
    assert milvus.heard == {"shop:a secret/with@odd:signs"}


def test_a_user_in_the_address_is_told_to_milvus_and_to_nobody_else(
    milvus: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MILVUS_TOKEN, raising=False)
    with pytest.raises(LookalikeError) as refused, collections_at(f"http://shop:secret@127.0.0.1:{milvus.port}"):
        pass
    assert milvus.heard == {"shop:secret"}
    assert f"http://127.0.0.1:{milvus.port}" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("verb", ["prune", "erase x"])
def test_verbs_tell_the_token(verb: str, milvus: Listening, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MILVUS_TOKEN, "shop:secret")
    monkeypatch.setenv("MILVUS_URI", f"http://127.0.0.1:{milvus.port}")
    answer = CliRunner().invoke(app, [*verb.split(), "--workspace", str(tmp_path)])
    assert isinstance(answer.exception, LookalikeError)
    assert milvus.heard == {"shop:secret"}


def test_the_service_takes_the_token_from_the_environment_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[ServingSettings] = []
    monkeypatch.setattr("serving.run.serve", lambda settings, told: started.append(settings))
    given = ["serve", "--workspace", str(tmp_path), "--triton", "triton:8001", "--milvus", "http://milvus:19530"]
    monkeypatch.setenv(MILVUS_TOKEN, "shop:secret")
    assert CliRunner().invoke(app, given).exit_code == 0
    assert CliRunner().invoke(app, [*given, "--set", "milvus_token=shop:another"]).exit_code == 0
    assert [settings.milvus_token for settings in started] == ["shop:secret", "shop:another"]
    assert "secret" not in repr(started[0])
