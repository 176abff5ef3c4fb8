"""Real parts for a running service, and the means to stop, kill and restart them."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import feature_repo
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.errors import BackendUnavailable
from lookalike.features.materialise import materialise
from lookalike.features.settings import FeatureSettings
from lookalike.index.build import build_index
from lookalike.index.milvus import MilvusIndex
from lookalike.release.manifest import Release, save_release, switch_live
from lookalike.release.publish import publish_model
from lookalike.storage import read_seal
from lookalike.workspace import Workspace
from serving.assemble import assemble
from serving.ports import LOOPBACK, free_ports
from serving.settings import ServingSettings
from tests.index.stages import validated_folder
from tests.release.tiny import exported
from tests.serving.running import Client, until

DEFINITIONS = Path(feature_repo.__file__).parent


def made_shop(root: Path, products: range, features: FeatureSettings | None = None) -> Workspace:
    """A workspace with one release in service, every part made by its own stage."""
    shop = Workspace(root)
    validated, export = validated_folder(shop.validated, products), exported()
    with MilvusIndex(str(shop.milvus)) as index:
        build_index(validated, export, shop.index, index, OnnxEmbedder(export))
    model, now = publish_model(export, shop.model_repository).name, datetime.now(UTC)
    release = Release.of(OnnxEmbedder(export).identity.fingerprint, read_seal(validated).content, now, model)
    materialise(validated, shop.features, shop.feature_store, release.release_id, now, DEFINITIONS, features)
    save_release(shop.releases, release)
    switch_live(shop.releases, release)
    return shop


@contextmanager
def assembled(settings: ServingSettings) -> Iterator[Client]:
    """The service over its real parts, in a thread until the block ends."""
    server, started = assemble(settings), threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _: started.set(),))
    thread.start()
    try:
        assert started.wait(60)
        with Client(server.http_port, server.grpc_port) as client:
            yield client
    finally:
        server.finish()
        thread.join(60)
        assert not thread.is_alive()


class LiteServer:
    """Milvus Lite as a server of its own on one port, through stops and restarts."""

    def __init__(self, data: Path) -> None:
        self._data = data
        [self.port] = free_ports(1)
        self.uri = f"http://{LOOPBACK}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(self._data)]
        address = ["--host", LOOPBACK, "--port", str(self.port)]
        self._process = subprocess.Popen([*command, *address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, 60)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)
        if number == signal.SIGKILL:
            self._process.wait()

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with contextlib.suppress(BackendUnavailable), MilvusIndex(self.uri) as index:
            index.collections()
            return True
        return False
