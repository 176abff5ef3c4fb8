"""The service as the study sees it: a process with two ports, whose memory and processor time can be read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving.shop import Shop
from lookalike.errors import BackendUnavailable
from serving.settings import ServingSettings

MIB = 2**20
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Service:
    """A service that answers, with the processes it searches in."""

    http_port: int
    grpc_port: int
    process: psutil.Process

    def processor_seconds(self) -> float:
        """Processor time it has used so far."""
        used = [process.cpu_times() for process in self._processes()]
        return float(sum(each.user + each.system for each in used))

    def memory_mib(self) -> float:
        """What it holds in memory now; what its processes share counts for each."""
        return float(sum(process.memory_info().rss for process in self._processes())) / MIB

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def settings_of(shop: Shop, **chosen: Any) -> ServingSettings:
    """The settings a shop is served with: the defaults, on free ports."""
    places: dict[str, Any] = {"milvus_uri": shop.uri, "http_port": 0, "grpc_port": 0}
    return ServingSettings.of_workspace(shop.workspace, **{**places, **chosen})


@contextmanager
def serving(settings: ServingSettings, folder: Path) -> Iterator[Service]:
    """Serve with these settings; the settings and the log lie in `folder`. Raises BackendUnavailable."""
    folder.mkdir(parents=True, exist_ok=True)
    asked, log = folder / "settings.json", folder / "service.log"
    asked.write_text(settings.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.serving.served", str(asked)]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
    assert process.stdin is not None and process.stdout is not None  # opened as pipes
    try:
        said = process.stdout.readline()
        if not said:
            tail = log.read_text(errors="replace")[-2_000:]
            raise BackendUnavailable(f"the service did not start; the end of {log}:\n{tail}")
        http_port, grpc_port = json.loads(said)
        yield Service(http_port, grpc_port, psutil.Process(process.pid))
    finally:
        process.stdin.close()
        _end(process)
        process.stdout.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
