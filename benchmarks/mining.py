"""Mine a grown catalogue of a million products and compare hard negatives with an exhaustive search.

The catalogue, its triplets and vectors stay in the workspace for the next run.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.mining_shop import ATTRIBUTES, DIMENSION, grow
from benchmarks.results import RESULTS, Figure, record
from lookalike.mining.hard import hard_candidates
from lookalike.mining.mine import mine, training_products
from lookalike.mining.neighbours import PROBES, ProductIndex
from lookalike.mining.settings import MiningSettings
from lookalike.mining.table import TRIPLETS
from lookalike.mining.triplets import Triplets
from lookalike.mining.vectors import read_vectors
from lookalike.storage import read_json, write_json

COMMAND = "make bench-mining"
WORKERS = 2


def main() -> int:
    arguments = _parser().parse_args()
    products = 100_000 if arguments.quick else arguments.products
    folder = Path(arguments.workspace) / f"grown-{products}"
    if not (folder / "vectors").is_dir():
        grow(folder, products, arguments.seed)
    _alone(_mine, folder)
    _alone(_compare, folder, arguments.triplets)
    shop = f"{products:,} grown products x {ATTRIBUTES} attributes (benchmarks/mining_shop.py), seed {arguments.seed}"
    figures = _mining_figures(read_json(folder / "mined.json"), shop, products)
    figures |= _overlap_figures(read_json(folder / "overlap.json"), shop)
    record("embedding", figures, folder if arguments.quick else RESULTS)
    return 0 if all(figure.met for figure in figures.values()) else 1


def _alone(work: Callable[..., None], *arguments: object) -> None:
    """In a process of its own, so that its peak memory is the work's."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"bench-mining: {work.__name__} ended with {process.exitcode}")


def _mine(folder: Path) -> None:
    """The whole stage: read parquet, mine, write parquet; anew even where its output lies there."""
    shutil.rmtree(folder / "triplets", ignore_errors=True)
    started, cpu = time.perf_counter(), time.process_time()
    figures = mine(folder / "validated", folder / "splits", folder / "triplets", workers=WORKERS).figures
    told = {"minutes": (time.perf_counter() - started) / 60, "cpu_minutes": (time.process_time() - cpu) / 60}
    told |= {"gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "triplets": figures["triplets"]}
    write_json(folder / "mined.json", told | {"load": os.getloadavg()[0], "pairs": figures["pairs_per_level"]})


def _compare(folder: Path, count: int) -> None:
    """Overlap of our hard-negative candidates with those of an exhaustive search, triplet by triplet."""
    settings = MiningSettings()
    products = training_products(folder / "validated", folder / "splits", settings)
    vectors = read_vectors(folder / "vectors", products.ids)
    asked = _sample(folder, products.ids, count)
    anchors, row = np.unique(asked.anchor, return_inverse=True)
    found = []
    for exact in (True, False):
        near = ProductIndex(vectors, exact=exact).nearest(anchors, settings.hard_depth)
        labels = products.labels
        found.append(hard_candidates(asked, row, near, labels, vectors, products.duplicates, settings))
    shares = _overlaps(*found)
    write_json(folder / "overlap.json", {"overlap": shares, "triplets": len(asked)})


def _sample(folder: Path, ids: NDArray, count: int) -> Triplets:
    table = pd.read_parquet(folder / "triplets" / TRIPLETS).sample(count, random_state=0)
    position = pd.Index(ids)
    anchor, positive, negative = (
        position.get_indexer(pd.Index(table[name])) for name in ("anchor", "positive", "negative")
    )
    return Triplets(anchor, positive, negative, *(table[f"{n}_level"].to_numpy() for n in ("positive", "negative")))


def _overlaps(exact: NDArray[np.int64], ours: NDArray[np.int64]) -> list[float]:
    """Share of the exact candidates (T, K) that ours hold, for every triplet that has any."""
    sets = ((set(one.tolist()) - {-1}, set(other.tolist())) for one, other in zip(exact, ours, strict=True))
    return [len(wanted & held) / len(wanted) for wanted, held in sets if wanted]


def _mining_figures(told: dict, shop: str, products: int) -> dict[str, Figure]:
    how = (
        f"the whole mine stage on {shop}, {WORKERS} threads on {os.cpu_count()} cores, one run: {told['triplets']:,} "
        f"triplets; {told['cpu_minutes']:.2f} minutes of processor time, load average {told['load']:.1f} at the end"
    )
    minutes, gib = told["minutes"], told["gib"]
    return {
        "mining_minutes": Figure(minutes, "minutes", how, COMMAND, "< 2", minutes < 2, n=products),
        "mining_gib": Figure(gib, "GiB", f"peak resident memory of {how}", COMMAND, "< 4", gib < 4, n=products),
    }


def _overlap_figures(told: dict, shop: str) -> dict[str, Figure]:
    shares = np.array(told["overlap"])
    mean, spread = shares.mean(), 1.96 * shares.std(ddof=1) / np.sqrt(len(shares))
    depth, nearest = (MiningSettings.model_fields[name].default for name in ("hard_depth", "hard_nearest"))
    how = (
        f"share of the up to {nearest} hard-negative candidates of the wanted level among the {depth} nearest products "
        f"by exhaustive search that an inverted file with {PROBES} probes finds too; {DIMENSION}-d vectors of {shop}; "
        f"{told['triplets']} mined triplets, of which {len(shares)} have candidates"
    )
    interval = (float(mean - spread), float(min(mean + spread, 1)))
    return {
        "hard_overlap": Figure(float(mean), "share", how, COMMAND, ">= 0.95", bool(mean >= 0.95), interval, len(shares))
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.mining", description=__doc__)
    add = parser.add_argument
    add("--workspace", default=Path(tempfile.gettempdir()) / "bench-mining", help="[a folder for temporary files]")
    add("--products", type=int, default=1_000_000, help="[1000000]")
    add("--triplets", type=int, default=1000, help="triplets whose hard negatives are compared [1000]")
    add("--seed", type=int, default=0, help="of the catalogue [0]")
    add("--quick", action="store_true", help="100,000 products, reported into the workspace")
    return parser


if __name__ == "__main__":
    sys.exit(main())
