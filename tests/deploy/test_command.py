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

APPENDED = ["--model_name", "lookalike", "--predictor_host", "lookalike-predictor.lookalike", "--http_port", "8080"]
"""What KServe adds to a transformer's arguments (pkg/apis/serving/v1beta1/transformer_custom.go)."""


@contextmanager
def running(container: dict[str, Any], settings: str, folder: Path, ports: dict[str, str]) -> Iterator[httpx.Client]:
    """The container's command on other ports and in a folder of the test's, until it is told to end."""
    (folder / "service.yaml").write_text(settings.replace("0.0.0.0", "127.0.0.1").replace("/logs/", f"{folder}/logs/"))
    (folder / "keys.yaml").write_text(f"keys: {{web: {{sha256: {'0' * 64}}}}}")
    verb = folder / "lookalike"
    verb.write_text(f'#!/bin/sh\nexec {sys.executable} -m app "$@"\n')
    verb.chmod(0o755)
    places = {"/etc/lookalike/service.yaml": f"{folder}/service.yaml", "/workspace": str(folder), **ports}
    (folder / "service.yaml").write_text(
        (folder / "service.yaml").read_text().replace("/etc/lookalike/keys/keys.yaml", f"{folder}/keys.yaml")
    )
    command = [_replaced(word, places) for word in container["command"]] + APPENDED
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "MILVUS_URI": f"faiss://{folder}/faiss"}
    with subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{ports['8080']}") as client:
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said


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
    ports = {"8080": _free_port(), "8081": _free_port()}
    with running(container, settings, tmp_path, ports) as client:
        assert asked(client, container["startupProbe"]) == 200
        assert asked(client, container["livenessProbe"]) == 200
        assert asked(client, container["readinessProbe"]) == 503
        assert client.get("/metrics").status_code == 200
        assert client.post("/search", content=b"photo").status_code == 401
