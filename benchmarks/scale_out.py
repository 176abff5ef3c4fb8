"""What a shard costs: a gallery embedded in one piece and in shards, one after the other, joined and compared.

It needs a workspace in which validate and export have run. On machines of their own, shards run at the same time.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.results import Figure, record
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.errors import LookalikeError
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings, FlatSettings
from lookalike.index.gallery import load_gallery
from lookalike.index.shards import embed_shard, plan_shards
from lookalike.progress import progress
from lookalike.storage import StageRecord
from lookalike.workspace import Workspace

COMMAND = "make bench-scale-out"
SETTINGS = IndexSettings(recall_queries=50)


def measure(workspace: Workspace, scratch: Path, wanted: int) -> dict[str, Figure]:
    """Build whole, build from shards, and compare."""
    folders = (workspace.validated, workspace.exported)
    embedder = OnnxEmbedder(workspace.exported, threads=1)
    with FaissIndex(scratch / "faiss", FaissSettings(structure=FlatSettings())) as flat:
        whole = build_index(*folders, scratch / "index", flat, embedder, SETTINGS)
    places, made = list[Path](), list[StageRecord]()
    planned = plan_shards(load_catalogue(workspace.validated), wanted, SETTINGS.batch)
    for shard in progress(planned, "embedding shards"):
        places.append(scratch / f"shard-{shard.number}-of-{shard.of}")
        made.append(embed_shard(*folders, places[-1], embedder, shard, SETTINGS.batch))
    with FaissIndex(scratch / "faiss-joined") as graph:
        joined = build_index(*folders, scratch / "joined", graph, embedder, SETTINGS, places)
    same = np.array_equal(load_gallery(scratch / "index").vectors, load_gallery(scratch / "joined").vectors)
    return figures(whole, made, joined, same)


def figures(whole: StageRecord, made: list[StageRecord], joined: StageRecord, same: bool) -> dict[str, Figure]:
    """Speeds of the shards and of joining them, and whether anything but the time differs."""
    photos, threads = int(joined.figures["count"]), "one thread, faiss with its own number"
    speeds = sorted(shard.figures["embedded"] / shard.seconds for shard in made)
    spent = sum(shard.seconds for shard in made)
    storing = joined.figures["storing_seconds"]
    embedding = (
        f"decoding, embedding, colours and sealing of a shard; median of {len(made)} shards one after the other, "
        f"slowest {speeds[0]:.0f}, fastest {speeds[-1]:.0f}; {photos:,} photos, {threads}"
    )
    return {
        "scale_out_embedded_per_second": Figure(float(np.median(speeds)), "photos/s", embedding, COMMAND, n=len(made)),
        "scale_out_stored_per_second": Figure(
            photos / storing,
            "photos/s",
            f"rows written to faiss and the graph built; {photos:,} photos",
            COMMAND,
            n=photos,
        ),
        "scale_out_join_seconds": Figure(
            joined.seconds, "seconds", "reading the shards, storing, sealing and examining", COMMAND, n=photos
        ),
        "scale_out_overhead": Figure(
            spent / whole.figures["embedding_seconds"],
            "ratio",
            f"seconds of all {len(made)} shards, over those of embedding in one piece, in the same run",
            COMMAND,
            n=photos,
        ),
        "scale_out_same": Figure(
            float(same),
            "share",
            "vectors of the joined build equal to the last bit to those of one piece",
            COMMAND,
            goal="= 1",
            met=same,
            n=photos,
        ),
    }


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    arguments = _parser().parse_args()
    try:
        with tempfile.TemporaryDirectory() as made:
            found = measure(
                Workspace(arguments.workspace),
                arguments.scratch or Path(made),
                2 if arguments.quick else arguments.shards,
            )
    except LookalikeError as error:
        sys.stderr.write(f"bench-scale-out: {error}\n")
        return 2
    with tempfile.TemporaryDirectory() as aside:
        record("index", found, **({"folder": Path(aside)} if arguments.quick else {}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.scale_out", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="where validated and exported lie")
    parser.add_argument("--scratch", type=Path, help="an empty folder that keeps what is built, for bench-narrowing")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--quick", action="store_true", help="two shards; nothing is recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
