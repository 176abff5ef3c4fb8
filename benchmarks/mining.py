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

from benchmarks.mining_checks import check
from benchmarks.mining_shop import ATTRIBUTES, DIMENSION, grow
from benchmarks.results import RESULTS, Figure, record
from lookalike.mining.mine import mine
from lookalike.mining.neighbours import PROBES
from lookalike.mining.settings import MiningSettings
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
    _alone(check, folder, arguments.triplets)
    shop = f"{products:,} grown products x {ATTRIBUTES} attributes (benchmarks/mining_shop.py), seed {arguments.seed}"
    figures = _mining_figures(read_json(folder / "mined.json"), shop, products)
    figures |= _check_figures(read_json(folder / "checks.json"), shop)
    record("embedding", figures, folder if arguments.quick else RESULTS)
    return 0 if all(figure.met is not False for figure in figures.values()) else 1


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


def _check_figures(told: dict, shop: str) -> dict[str, Figure]:
    depth, nearest = (MiningSettings.model_fields[name].default for name in ("hard_depth", "hard_nearest"))
    vectors = f"an inverted file with {PROBES} probes finds too; {DIMENSION}-d vectors of {shop}"
    how = (
        f"share of the up to {nearest} hard-negative candidates of the wanted level among the {depth} nearest products "
        f"by exhaustive search that {vectors}; {told['triplets']} triplets, {len(told['overlap'])} have candidates"
    )
    mean, interval = _mean(told["overlap"])
    figures = {
        "hard_overlap": Figure(mean, "share", how, COMMAND, ">= 0.95", mean >= 0.95, interval, len(told["overlap"]))
    }
    how = (
        f"the same against the {nearest} nearest of the level in the whole catalogue: what lies beyond the "
        f"{depth} nearest products is not taken for hard, and its triplets keep a negative drawn evenly"
    )
    mean, interval = _mean(told["overlap_at_any_depth"])
    count = len(told["overlap_at_any_depth"])
    figures["hard_overlap_at_any_depth"] = Figure(mean, "share", how, COMMAND, interval=interval, n=count)
    how = (
        f"total variation between how often pairs of levels are drawn from sampled candidates and from complete lists; "
        f"{told['shift_products']:,} products grown alike, 8 triplets each"
    )
    figures["mining_level_shift"] = Figure(told["shift"], "share", how, COMMAND, n=told["shift_products"])
    return figures


def _mean(shares: list[float]) -> tuple[float, tuple[float, float]]:
    values = np.array(shares)
    mean, spread = float(values.mean()), float(1.96 * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, (mean - spread, min(mean + spread, 1.0))


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
