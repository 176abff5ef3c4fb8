"""A Milvus Lite server on this machine, shared by the pipeline and the search service.

Milvus Lite's data can be open in one process only. Running it as a server of its own lets both use it over
the same URI they would use for a Milvus server or cluster.
"""

import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from lookalike.errors import BackendUnavailable
from lookalike.index.lite_files import make_ready
from serving import leash
from serving.ports import LOOPBACK, free_ports

START_SECONDS = 60.0


class LocalMilvus:
    """Serves a Milvus Lite folder on a free loopback port for as long as a `with` block."""

    def __init__(self, data: Path, log_file: Path) -> None:
        self.data = data
        self.log_file = log_file
        self.uri = ""
        self._resources = ExitStack()

    def __enter__(self) -> "LocalMilvus":
        self.data.mkdir(parents=True, exist_ok=True)
        make_ready(self.data)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            [port] = free_ports(1)
            process = self._launch(port)
            self._wait_until_listening(process, port)
        except BaseException:
            self._resources.close()
            raise
        self.uri = f"http://{LOOPBACK}:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def _launch(self, port: int) -> "subprocess.Popen[bytes]":
        log = self._resources.enter_context(self.log_file.open("ab"))
        server = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(self.data)]
        address = ["--host", LOOPBACK, "--port", str(port)]
        process = subprocess.Popen(
            [sys.executable, "-I", str(Path(leash.__file__)), *server, *address],
            stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._resources.callback(_stop, process)
        return process

    def _wait_until_listening(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])
                raise BackendUnavailable(f"Milvus Lite over {self.data} did not start; the end of its log:\n{tail}")
            time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None  # opened as a pipe
    process.stdin.close()  # the leash ends the server
    process.wait()


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
