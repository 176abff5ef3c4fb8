"""What kills cost a sharded build: embedding and indexing a million products, once in peace and once killed 20 times.

Both builds take turns of some seconds on the machine, so that both meet the same conditions, and only a build's own
time counts. A kill ends every process of a build at once, at moments drawn beforehand in each of its phases. In the end
both must have the same vectors, graph and output byte for byte, and the same answers.
"""

import argparse
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.cluster.grown_photos import grown_catalogue
from benchmarks.cluster.shard_arms import Arm, take_turns
from benchmarks.cluster.shard_life import FAISS, command
from benchmarks.cluster.shard_phases import PHASES, Size, drawn_kills, where
from benchmarks.results import Figure, record
from lookalike.catalog.products import PRODUCTS, load_catalogue
from lookalike.errors import LookalikeError
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_folder import COLLECTION
from lookalike.index.faiss_structures import SEARCH
from lookalike.index.gallery import VECTORS
from lookalike.storage import digest_file, read_seal
from lookalike.workspace import Workspace

COMMAND = "make bench-shards WORKSPACE=<folder>"
GOAL = 0.85
PROCESSES = 2
QUERIES, NEAREST = 200, 10
SINGLE, KILLED = "single", "killed"


def measure(asked: argparse.Namespace, scratch: Path) -> dict[str, Figure]:
    """Grow the catalogue, build twice, compare."""
    workspace = Workspace(asked.workspace)
    grown = grown_catalogue(workspace.validated, scratch / f"grown-{asked.products}", asked.products, asked.seed)
    size = Size(len(load_catalogue(grown).gallery_photos), asked.shards)
    kills = {SINGLE: [], KILLED: drawn_kills(asked.kills, np.random.default_rng(asked.seed))}
    arms = {}
    for name, drawn in kills.items():
        shutil.rmtree(scratch / name, ignore_errors=True)
        started = command(grown, workspace.exported, scratch / name, asked.shards, PROCESSES)
        arms[name] = Arm(started, partial(where, scratch / name, size), drawn)
    take_turns(list(arms.values()))
    return figures(arms[SINGLE], arms[KILLED], size, differences(scratch / SINGLE, scratch / KILLED, asked.seed), asked)


def differences(single: Path, killed: Path, seed: int) -> list[str]:
    """What is not the same in two finished builds; nothing is what is hoped for."""
    found = [
        name
        for name in (VECTORS, PRODUCTS)
        if (Workspace(single).index / name).is_file()
        and digest_file(Workspace(single).index / name) != digest_file(Workspace(killed).index / name)
    ]
    if read_seal(Workspace(single).index).content != read_seal(Workspace(killed).index).content:
        found.append("the output's content digest")
    if _graph(single) != _graph(killed):
        found.append("the graph")
    if _answers(single, seed) != _answers(killed, seed):
        found.append("answers")
    return found


def _graph(root: Path) -> list[str]:
    return [digest_file(path) for path in sorted((root / FAISS).glob(f"*/segment-*/{SEARCH}"))]


def _answers(root: Path, seed: int) -> object:
    """What searches for pictures beside those of the gallery find."""
    random = np.random.default_rng(seed)
    vectors = np.load(Workspace(root).index / VECTORS, allow_pickle=False, mmap_mode="r")
    rows = np.sort(random.choice(len(vectors), QUERIES, replace=False))
    queries = vectors[rows] + 0.05 * random.standard_normal((QUERIES, vectors.shape[1]), np.float32)
    collection = next((root / FAISS).glob(f"*/{COLLECTION}")).parent.name
    with FaissIndex(root / FAISS) as index:
        return index.search(collection, queries / np.linalg.norm(queries, axis=1, keepdims=True), NEAREST)


def figures(single: Arm, killed: Arm, size: Size, different: list[str], asked: argparse.Namespace) -> dict[str, Figure]:
    """The ratio of throughputs and what it is made of."""
    ratio, processor = single.seconds / killed.seconds, single.processor_seconds / killed.processor_seconds
    met = not different and ratio >= GOAL and killed.killed.total() == asked.kills
    hits = ", ".join(f"{killed.killed[phase]} {phase}" for phase in PHASES)
    shares = ", ".join(f"{phase} {single.spent[phase]:.0f} and {killed.spent[phase]:.0f}" for phase in PHASES)
    end = f"differ in {', '.join(different)}" if different else "the same vectors, content digest, graph and answers"
    how = (
        f"wall time of an uninterrupted build over that of one killed {killed.killed.total()} times ({hits}) and "
        f"started again, in turns on one machine; photos grown from real ones, {size.shards} shards, {PROCESSES} "
        f"processes, seed {asked.seed}; {end}; seconds by phase, uninterrupted and killed: {shares}; ratio of "
        f"processor time, of every process, {processor:.3f}"
    )
    seconds = f"embedding, joining, storing, graph and sealing, {PROCESSES} processes, in turns with the other build"
    photos = size.photos
    return {
        "shard_resume_ratio": Figure(ratio, "ratio", how, COMMAND, f">= {GOAL}", met, n=photos),
        "shard_resume_processor_ratio": Figure(processor, "ratio", "the same of processor time", COMMAND, n=photos),
        "shard_single_per_second": Figure(photos / single.seconds, "photos/s", seconds, COMMAND, n=photos),
        "shard_killed_per_second": Figure(
            photos / killed.seconds, "photos/s", f"{seconds}, killed {asked.kills} times", COMMAND, n=photos
        ),
    }


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    asked = _parser().parse_args()
    if asked.quick:
        asked.products, asked.shards, asked.kills = 6_000, 2, 5
    try:
        with tempfile.TemporaryDirectory() as made:
            found = measure(asked, asked.scratch or Path(made))
    except LookalikeError as error:
        sys.stderr.write(f"bench-shards: {error}\n")
        return 2
    sys.stdout.write(f"{found['shard_resume_ratio'].how}\n")
    with tempfile.TemporaryDirectory() as aside:
        record("cluster", found, **({"folder": Path(aside)} if asked.quick or asked.trial else {}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.cluster.shard_resume", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="where validated and exported lie")
    parser.add_argument("--scratch", type=Path, help="keeps the grown catalogue and both builds, some 10 GB a million")
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trial", action="store_true", help="shown, not recorded")
    parser.add_argument("--quick", action="store_true", help="6,000 products, 5 kills; shown, not recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
