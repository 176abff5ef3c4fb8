"""A search server over parts in memory, for tests that need its own process: python -m tests.serving.twin_server."""

import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.embedders.protocol import Embeddings
from lookalike.search.engine import SearchEngine
from lookalike.search.query_log_keeping import QueryLogSettings
from serving.live import LiveEngine
from serving.query_log import QueryLog
from serving.server import SearchServer
from tests.search.shop import Shop
from tests.serving.running import put_live, settings

ABSENT = ("torch", "transformers", "lightning", "tritonclient", "vllm")


class FileGate:
    """The shop's embedder, answering once the file `opened` is there; `arrived` says it was asked."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.identity = shop.embedder.identity
        self.behind = shop.embedder
        self.folder = folder

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        (self.folder / "arrived").touch()
        while not (self.folder / "opened").exists():
            time.sleep(0.01)
        return self.behind.embed(pixels)


def main(folder: Path) -> None:
    """Serve until SIGTERM. Says on standard output: the ports, then which unwanted modules were imported."""
    shop = Shop()
    put_live(folder / "releases", shop)
    chosen = settings(folder)
    gate = FileGate(shop, folder)
    live = LiveEngine(chosen.releases, lambda release: SearchEngine(gate, shop.index, shop.features, release))
    live.load()

    def ports(server: SearchServer) -> None:
        say({"http": server.http_port, "grpc": server.grpc_port})

    SearchServer(chosen, live, QueryLog(folder / "log", QueryLogSettings(seconds_per_part=3600))).run(ports)
    say({"loaded": [name for name in ABSENT if name in sys.modules]})


def say(values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
