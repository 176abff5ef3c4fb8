"""The container's own command, settings and probes, run here as KServe would run them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.manifests.reading import Document, by_name, of_kind

ROOT = Path(__file__).parents[2]
APPENDED = ["--model_name", "lookalike", "--predictor_host", "lookalike-predictor.lookalike", "--http_port", "8080"]
"""What KServe adds to a transformer's arguments (pkg/apis/serving/v1beta1/transformer_custom.go)."""


@contextmanager
def running(container: dict[str, Any], settings: str, folder: Path, ports: tuple[str, str]) -> Iterator[httpx.Client]:
    """The container's command on other ports and in a folder of the test's, until it is told to end."""
    places = {"0.0.0.0": "127.0.0.1", "/logs/": f"{folder}/logs/", "/etc/lookalike/keys/": f"{folder}/"}
    (folder / "service.yaml").write_text(_replaced(settings, places))
    (folder / "keys.yaml").write_text(f"keys: {{web: {{sha256: '{'0' * 64}'}}}}")
    verb = folder / "lookalike"
    verb.write_text(f'#!/bin/sh\nexec {sys.executable} -m app "$@"\n')
    verb.chmod(0o755)
    moved = {"/etc/lookalike/": f"{folder}/", "/workspace": str(folder), "8080": ports[0], "8081": ports[1]}
    command = [_replaced(word, moved) for word in (*container["command"], *container["args"], *APPENDED)]
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "MILVUS_URI": f"faiss://{folder}/faiss"}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=said, cwd=ROOT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}") as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    assert process.returncode == 0, (folder / "said").read_text()


def asked(client: httpx.Client, probe: dict[str, Any], patience: float = 120.0) -> int:
    """The status of a probe's answer, once anybody answers."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return client.get(probe["httpGet"]["path"]).status_code
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _replaced(word: str, places: dict[str, str]) -> str:
    for there, here in places.items():
        word = word.replace(there, here)
    return word


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.slow
def test_an_empty_cluster_is_alive_and_not_ready(local_cpu: list[Document], tmp_path: Path) -> None:
    container = by_name(local_cpu)["InferenceService/lookalike"]["spec"]["transformer"]["containers"][0]
    [settings] = [
        each["data"]["service.yaml"] for each in of_kind(local_cpu, "ConfigMap") if "service.yaml" in each["data"]
    ]
    with running(container, settings, tmp_path, (_free_port(), _free_port())) as client:
        assert asked(client, container["startupProbe"]) == 200
        assert asked(client, container["livenessProbe"]) == 200
        assert asked(client, container["readinessProbe"]) == 503
        assert client.get("/metrics").status_code == 200
        assert client.post("/search", content=b"photo").status_code == 401
