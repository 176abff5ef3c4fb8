"""The search service as a process of its own, for as long as a `with` block."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from lookalike.errors import BackendUnavailable
from lookalike.workspace import Workspace
from serving.ports import LOOPBACK, free_ports

START_SECONDS = 120.0


@contextmanager
def running_service(shop: Workspace, milvus_uri: str) -> Iterator[str]:
    """Start `lookalike serve` on a free loopback port, wait until it is ready, and yield its URL."""
    port, grpc_port = free_ports(2)
    log = shop.logs / "serve.log"
    command = [sys.executable, "-m", "app", "serve", "--workspace", str(shop.root), "--milvus", milvus_uri]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--grpc-port", str(grpc_port)], stdout=file, stderr=subprocess.STDOUT
        )
    url = f"http://{LOOPBACK}:{port}"
    try:
        _wait_until_ready(process, url, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_release(url: str, release_id: str) -> None:
    """Wait until the service answers from this release. Raises BackendUnavailable after two minutes."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        metadata = httpx.get(f"{url}/v2/models/lookalike", timeout=5.0).json()
        if release_id in str(metadata):
            return
        time.sleep(0.2)
    raise BackendUnavailable(f"the service at {url} did not switch to release {release_id[:12]}")


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/v2/health/ready", timeout=2.0).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise BackendUnavailable(f"the service did not become ready; the end of {log}:\n{tail}")
