"""One life of a sharded build on one machine: processes embed the shards that are not finished, then all are joined.

It does what the components do, `embed_shard` side by side and `merge_shards` after them. What an earlier life left is
gone on with by the library, this file knows nothing of it; so it may be killed at any moment and started again.
"""

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.shards import Shard, embed_shard
from lookalike.workspace import Workspace

SETTINGS = IndexSettings()
FAISS = "faiss"
"""Where the collection lies, under the run's root."""


def embed(validated: Path, exported: Path, root: Path, shard: Shard) -> None:
    """One shard, on one thread."""
    place = Workspace(root).shard(str(shard))
    embed_shard(validated, exported, place, OnnxEmbedder(exported, threads=1), shard, SETTINGS.batch)


def live(validated: Path, exported: Path, root: Path, shards: list[Shard], processes: int) -> None:
    """Everything from the first shard to the sealed and examined collection."""
    started = multiprocessing.get_context("forkserver")
    started.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(processes, started) as workers:
        for done in [workers.submit(embed, validated, exported, root, shard) for shard in shards]:
            done.result()
    places = [Workspace(root).shard(str(shard)) for shard in shards]
    with FaissIndex(root / FAISS) as index:
        embedder = OnnxEmbedder(exported, threads=processes)
        build_index(validated, exported, Workspace(root).index, index, embedder, SETTINGS, places)


def command(validated: Path, exported: Path, root: Path, shards: int, processes: int) -> list[str]:
    """What starts a life."""
    folders = [str(folder.absolute()) for folder in (validated, exported, root)]
    return [sys.executable, "-m", __spec__.name, *folders, str(shards), str(processes)]


def main() -> None:
    parser = argparse.ArgumentParser(__spec__.name, description=__doc__)
    for folder in ("validated", "exported", "root"):
        parser.add_argument(folder, type=Path)
    for number in ("shards", "processes"):
        parser.add_argument(number, type=int)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(asked.processes)
    shards = [Shard(number, asked.shards) for number in range(1, asked.shards + 1)]
    live(asked.validated, asked.exported, asked.root, shards, asked.processes)


if __name__ == "__main__":
    main()
