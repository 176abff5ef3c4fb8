"""The same acts over Milvus Lite's server: its client is killed before any request, and the server at any moment."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index.kill_collection import ALIAS, acts_on, view_of
from benchmarks.index.kill_run import Run, done, start
from benchmarks.index.kill_trap import CALLS
from benchmarks.index.kill_trial import Reference, Step, Toll, clear, examine
from lookalike.index.lite_files import make_ready
from lookalike.index.memory import MemoryIndex
from lookalike.index.milvus import OWN, MilvusIndex
from lookalike.index.milvus_structure import MilvusSettings

ADDRESS = "address"
"""File beside the server's data that says where it listens."""
RENAMES = "purge"
"""Lite cannot exchange collections: in the middle of this act one may be missing, until the act is repeated."""
QUICKLY = MilvusSettings(timeout_seconds=5)


class Announcing:
    """A Milvus client that announces each request, so that a trap can stand before it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if callable(found) and not name.startswith("_"):
            sys.audit(CALLS, name)
        return found


class MilvusCollections:
    """The acts on collections, on the server whose address lies in the folder."""

    name = "Milvus Lite collections"

    def __init__(self) -> None:
        self.acts: Sequence[str] = [name for name, _ in acts_on(MemoryIndex())]

    def empty(self, root: Path) -> None:
        with _index(root) as index:
            if index.resolve_alias(ALIAS) is not None:
                index._client.drop_alias(ALIAS)
            for name in index.collections():
                index.drop(name)

    @contextmanager
    def opened(self, root: Path) -> Iterator[Sequence[Callable[[], object]]]:
        with _index(root) as index:
            index._client = Announcing(index._client)
            yield [act for _, act in acts_on(index)]

    def view(self, root: Path) -> Any:
        with _index(root) as index:
            return view_of(index)

    def explain(self, act: int, before: Any, after: Any, seen: Any) -> str:
        if seen in (before, after) or self.acts[act] == RENAMES:
            return ""
        return f"neither the state before nor after: {seen!r}"

    def left(self, root: Path) -> list[str]:
        with _index(root) as index:
            return [name for name in index._client.list_collections() if name.endswith(OWN)]


@dataclass
class LiteServer:
    """Milvus Lite's server over a folder, which may be killed and started again."""

    root: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def uri(self) -> str:
        return (self.root / ADDRESS).read_text()

    def start(self) -> None:
        """Return once it listens, on the same port as before."""
        note = self.root / ADDRESS
        make_ready(self.root / "milvus.db")
        port = int(note.read_text().rsplit(":", 1)[1]) if note.is_file() else _free_port()
        command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(self.root / "milvus.db")]
        with (self.root / "milvus.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)], stdout=log, stderr=subprocess.STDOUT
            )
        while not _listens(port):
            if self.process.poll() is not None:
                raise RuntimeError((self.root / "milvus.log").read_text(errors="replace")[-2_000:])
            time.sleep(0.05)
        note.write_text(f"http://127.0.0.1:{port}")

    def kill(self) -> None:
        """End it as nothing can prevent."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


def serve(root: Path) -> LiteServer:
    """A server over an empty folder."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    server = LiteServer(root)
    server.start()
    return server


def kill_the_server(
    scenario: MilvusCollections, server: LiteServer, reference: Reference, toll: Toll, random: np.random.Generator
) -> None:
    """Perform every act once, the server killed in the middle of most; `toll` counts how often."""
    run = Run(scenario, server.root)
    clear(run)
    toll.trials += 1
    while True:
        run = Run(scenario, server.root, done(run))
        process = start(run)
        wanted = min(
            range(run.start, run.start + 3), key=lambda act: (toll.hits[_felled(scenario, act)], random.random())
        )
        while done(run) < wanted and process.is_alive():
            time.sleep(0.002)
        time.sleep(float(random.uniform(0, 0.1)))
        if not process.is_alive() and process.exitcode == 0:
            return
        if not process.is_alive():
            toll.faults.append(f"{scenario.name}, after the server was killed: {run.failure.read_text()[-300:]}")
            return
        server.kill()
        process.kill()  # its requests would only wait for the server
        process.join()
        run.failure.unlink(missing_ok=True)
        toll.kills += 1
        toll.hits[_felled(scenario, done(run))] += 1
        server.start()
        examine(run, reference, toll)


def _felled(scenario: MilvusCollections, act: int) -> Step:
    return scenario.acts[min(act, len(scenario.acts) - 1)], "server killed"


def _index(root: Path) -> MilvusIndex:
    return MilvusIndex((root / ADDRESS).read_text(), settings=QUICKLY)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
