"""The parts behind the service during the soak, as real processes that faults can strike: Triton, Milvus, Feast."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from benchmarks.index.kill_milvus import LiteServer, serve
from benchmarks.serving.plan import Plan
from benchmarks.serving.shop import Shop, store_also
from lookalike.errors import BackendUnavailable
from lookalike.index.milvus import MilvusIndex
from serving.triton.environment import open_environment
from serving.triton.launcher import LocalTriton
from serving.triton.watchdog import kept_running

TRITON = Path(__file__).parents[2] / ".triton"
STUB = "triton_python_backend_stub"


@dataclass(frozen=True)
class Parts:
    """What the service needs, and handles to hurt it by."""

    milvus: LiteServer
    triton: LocalTriton | None
    """None where this machine has no Triton; then the model runs in the service."""
    online_store: Path
    """Feast's SQLite file."""

    def addresses(self) -> dict[str, Any]:
        """For the service's settings."""
        if self.triton is None:
            return {"milvus_uri": self.milvus.uri}
        return {
            "milvus_uri": self.milvus.uri,
            "triton_url": self.triton.grpc_address,
            "triton_http": self.triton.http_address,
        }

    def triton_server(self) -> psutil.Process:
        assert self.triton is not None
        return psutil.Process(self.triton.server_pid)

    def stubs(self) -> list[psutil.Process]:
        """The workers behind the models."""
        found = []
        for process in self.triton_server().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [process] if process.name().startswith(STUB[:15]) else []
        return found


@contextmanager
def running_parts(plan: Plan, shop: Shop, models: tuple[Path, ...], scratch: Path) -> Iterator[Parts]:
    """Milvus Lite's server with the shop's collections, and the local Triton with its watchdog."""
    with ExitStack() as open_parts:
        milvus = serve(scratch / "milvus")
        open_parts.callback(milvus.kill)
        with MilvusIndex(milvus.uri) as index:
            store_also(plan, shop, models, index)
        triton = _triton(shop, scratch, open_parts)
        yield Parts(milvus, triton, shop.workspace.feature_store / "online.db")


def _triton(shop: Shop, scratch: Path, open_parts: ExitStack) -> LocalTriton | None:
    try:
        environment = open_environment(TRITON)
    except BackendUnavailable as error:
        Console().print(f"without Triton's faults: {error}")
        return None
    triton = open_parts.enter_context(LocalTriton(environment, shop.workspace.model_repository, scratch / "triton.log"))
    return open_parts.enter_context(kept_running(triton))


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """The process does nothing, and answers nobody, until the block ends."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Nobody reads the SQLite file until the block ends."""
    command = [sys.executable, "-m", "benchmarks.serving.hold_store", str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None and holder.stdout is not None  # opened as pipes
        try:
            holder.stdout.readline()
            yield
        finally:
            holder.stdin.close()


def let_pass(seconds: float) -> None:
    """A fault lasts."""
    time.sleep(seconds)
