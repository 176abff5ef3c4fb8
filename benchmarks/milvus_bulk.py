"""A collection of a Milvus server filled by upserts and from files, in turns: how long until the rows are there?

It needs a workspace where validate and index have run. Where no server is named it starts one, which must be alone in
its network: `unshare --map-root-user --net`.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.milvus_server import milvus_server
from benchmarks.results import Figure, record
from lookalike.catalog.groups import product_groups
from lookalike.catalog.products import load_catalogue
from lookalike.errors import LookalikeError
from lookalike.index.gallery import gallery_batches, gallery_fields, load_gallery
from lookalike.index.milvus import MilvusIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.index.staging import BulkSettings
from lookalike.workspace import Workspace

COMMAND = "make bench-milvus-bulk"
ROUNDS, COPIES = 3, 5
"""Turns, and how often the gallery is stored under other ids."""
NAME = "bulk_study"
ROWS = 2_000
"""Photos per storing call, as in an ordinary build."""
Batches = Callable[[], Iterator[GalleryBatch]]


def measure(workspace: Workspace, uri: str, settings: BulkSettings, rounds: int, copies: int) -> dict[str, Figure]:
    """Fill the same collection by turns and drop it again."""
    catalogue, gallery = load_catalogue(workspace.validated), load_gallery(workspace.index)
    groups, photos = product_groups(catalogue), copies * len(gallery.photos)
    batches = partial(_repeated, partial(gallery_batches, catalogue, gallery, groups, ROWS), copies)
    info = CollectionInfo(NAME, NAME, NAME, gallery.vectors.shape[1], gallery_fields(catalogue))
    by_upsert, from_files = list[float](), list[float]()
    with MilvusIndex(uri) as index:
        for _ in range(rounds):
            by_upsert.append(_timed(index, photos, partial(_upserted, index, info, batches)))
            from_files.append(_timed(index, photos, lambda: index.fill(info, batches(), settings)))
    return figures(photos, copies, info.dimension, by_upsert, from_files)


def figures(
    photos: int, copies: int, dimension: int, by_upsert: list[float], from_files: list[float]
) -> dict[str, Figure]:
    """Photos a second each way, and the median of the turns' ratios."""
    ratios = [slow / fast for slow, fast in zip(by_upsert, from_files, strict=True)]
    how = (
        f"{photos:,} photos x {dimension} with their fields, a gallery stored {copies} times under other ids, until "
        "the server counts them all; client and server on one machine, its disk as storage; "
        f"median of {len(ratios)} turns, no search structure built"
    )
    span = (min(ratios), max(ratios))
    return {
        "bulk_speedup": Figure(
            float(np.median(ratios)),
            "ratio",
            f"seconds by upserts ÷ seconds from files; the interval is the range of the turns; {how}",
            COMMAND,
            interval=span,
            n=len(ratios),
        ),
        "bulk_upserted_per_second": Figure(
            photos / float(np.median(by_upsert)), "photos/s", f"by upserts of {ROWS:,}; {how}", COMMAND, n=photos
        ),
        "bulk_imported_per_second": Figure(
            photos / float(np.median(from_files)),
            "photos/s",
            f"from parquet, writing it included; {how}",
            COMMAND,
            n=photos,
        ),
    }


def _repeated(batches: Batches, copies: int) -> Iterator[GalleryBatch]:
    for copy in range(copies):
        for batch in batches():
            yield replace(batch, photo_ids=[f"{photo}~{copy}" for photo in batch.photo_ids])


def _upserted(index: MilvusIndex, info: CollectionInfo, batches: Batches) -> None:
    index.create(info)
    for batch in batches():
        index.upsert(info.name, batch)


def _timed(index: MilvusIndex, expected: int, fill: Callable[[], None]) -> float:
    if NAME in index.collections():
        index.drop(NAME)
    started = time.perf_counter()
    fill()
    held = index.count(NAME)
    seconds = time.perf_counter() - started
    assert held == expected, f"{held} photos are there, {expected} were stored"
    index.drop(NAME)
    return seconds


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    arguments = _parser().parse_args()
    shop, amount = Workspace(arguments.workspace), (1, 1) if arguments.quick else (ROUNDS, COPIES)
    try:
        with tempfile.TemporaryDirectory() as made, ExitStack() as running:
            settings = BulkSettings(staging=arguments.staging or f"{made}/staged", seen_as=arguments.seen_as)
            uri = arguments.uri or running.enter_context(milvus_server(Path(made) / "server"))
            found = measure(shop, uri, settings, *amount)
    except LookalikeError as error:
        sys.stderr.write(f"bench-milvus-bulk: {error}\n")
        return 2
    with tempfile.TemporaryDirectory() as aside:
        record("index", found, **({"folder": Path(aside)} if arguments.quick else {}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.milvus_bulk", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="where validated and index lie")
    parser.add_argument("--uri", help="an empty Milvus server (http://host:19530) [one started here]")
    parser.add_argument("--staging", help="folder or URL that both sides reach [a folder for temporary files]")
    parser.add_argument("--seen-as", default="", help="the same place as the server names it [as given]")
    parser.add_argument("--quick", action="store_true", help="one turn; nothing is recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
