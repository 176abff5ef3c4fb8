"""Photos per second that one and two processes train on, a thread each, in turns; and a model of more of them.

The first products of a catalogue are validated, split and mined once into the workspace. Then the recipe trains for a
few steps, alone and on two processes by turns; a part of each turn says what of a step is divided and what is not, and
what exchanging gradients costs here. `scaling_model` has the formula that goes beyond two.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.cluster.scaling_model import Network, StepModel
from benchmarks.cluster.scaling_tables import TABLES
from benchmarks.cluster.scaling_turn import Turn, take_turn
from benchmarks.pages import fill
from benchmarks.results import RESULTS, Figure, record
from lookalike import stages
from lookalike.config import load_config
from lookalike.errors import LookalikeError
from lookalike.progress import progress
from lookalike.storage import read_json
from lookalike.training.launch import launch
from lookalike.training.recipe import Recipe
from lookalike.workspace import Workspace

COMMAND = "make bench-train-scaling CATALOG=<folder> ENCODERS=<folder>"
RECIPE = Path(__file__).parents[2] / "pipelines" / "recipes" / "fashion_cpu.yaml"
PAGE = Path(__file__).parents[2] / "docs" / "training-at-scale.md"
SETTLING = 4
"""Steps at the start that also pay for allocating and choosing kernels."""

Told = dict[str, Any]


def prepare(catalogue: str, shop: Workspace, products: int) -> None:
    """Validate, split and mine, or find it done."""
    stages.validate(catalogue, str(shop.validated), limit=products)
    stages.split(str(shop.validated), str(shop.splits))
    stages.mine(str(shop.validated), str(shop.splits), str(shop.triplets))


def take_turns(shop: Workspace, recipe: Recipe, encoders: Path, turns: int) -> list[tuple[Told, Told]]:
    """What one process and two said, turn by turn; who begins changes."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for turn in progress(range(turns), "turns"):
            told: dict[int, Told] = {}
            for processes in ((1, 2), (2, 1))[turn % 2]:
                output = Path(scratch) / f"{turn}-{processes}.json"
                places = (shop.validated, shop.triplets, shop.root / "decoded")
                launch(processes, take_turn, Turn(*places, recipe, encoders, output))
                told[processes] = read_json(output)
            found.append((told[1], told[2]))
    return found


def figures(turns: Sequence[tuple[Told, Told]], source: str) -> dict[str, Figure]:
    """Rates, their ratio with its interval over turns, and the constants of the model."""
    batch = turns[0][0]["batch"]
    alone, both = ([statistics.median(told[place]["steps"][SETTLING:]) for told in turns] for place in (0, 1))
    shares = np.log([one / (2 * two) for one, two in zip(alone, both, strict=True)])
    middle, half = float(np.mean(shares)), _half_width(shares)
    one, two = statistics.median(alone), statistics.median(both)
    undivided, reducing, latency = (
        statistics.median(told[place][key] for told in turns)
        for place, key in ((0, "undivided"), (1, "reducing"), (1, "latency"))
    )
    bandwidth = turns[0][0]["gradient_bytes"] / max(reducing - 2 * latency, 1e-9)
    model = StepModel(batch, one - undivided, undivided, turns[0][0]["gradient_bytes"], turns[0][0]["encoding_bytes"])
    expected = model.seconds(2, Network("here", bandwidth, latency))
    steps = sum(len(told["steps"]) - SETTLING for pair in turns for told in pair)
    how = (
        f"fashion_cpu as it trains (batches of {batch} photos of 96x72) on {source}; a thread per process, batches "
        f"prepared by a thread beside it; median steps of {len(turns)} turns, load average {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores at the end"
    )

    def told(value: float, unit: str, what: str, interval: tuple[float, float] | None = None) -> Figure:
        return Figure(value, unit, f"{what}; {how}", COMMAND, interval=interval, n=steps)

    efficiency = (float(np.exp(middle - half)), float(np.exp(middle + half)))
    return {
        "train_scaling_efficiency_2": told(
            float(np.exp(middle)), "ratio", "photos/s of two processes over twice those of one", efficiency
        ),
        "train_scaling_rate_1": told(batch / one, "photos/s", "one process"),
        "train_scaling_rate_2": told(batch / two, "photos/s", "two processes, which share every batch"),
        "train_scaling_expected_2": told(expected / two, "ratio", "step of two by the formula over the measured one"),
        "train_scaling_batch": told(batch, "photos", "B"),
        "train_scaling_divided_ms": told(1e3 * model.divided_seconds, "ms", "d, a step of one process without u"),
        "train_scaling_undivided_ms": told(1e3 * undivided, "ms", "u, losses on gathered encodings and optimiser"),
        "train_scaling_gradient_bytes": told(model.gradient_bytes, "bytes", "G"),
        "train_scaling_encoding_bytes": told(model.encoding_bytes, "bytes", "E"),
        "train_scaling_bandwidth": told(bandwidth, "bytes/s", "w between two processes here, by gloo over loopback"),
        "train_scaling_latency_us": told(1e6 * latency, "us", "l between two processes here, by gloo over loopback"),
    }


def _half_width(values: NDArray[np.float64]) -> float:
    """Of the 95 % interval of a mean, by Student's t: turns are few."""
    if len(values) < 2:
        return 0.0
    return float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)


def main() -> int:
    arguments = _parser().parse_args()
    shop, quick = Workspace(Path(arguments.workspace)), arguments.quick
    steps, turns = (6, 2) if quick else (arguments.steps, arguments.turns)
    recipe = load_config(Recipe, RECIPE)
    anchors = (steps + SETTLING + 1) * recipe.triplets_per_batch
    recipe = recipe.model_copy(update={"epochs": 1, "anchors_per_epoch": anchors, "device": "cpu"})
    try:
        prepare(arguments.catalogue, shop, arguments.products)
        said = take_turns(shop, recipe, Path(arguments.encoders), turns)
    except LookalikeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    made = figures(said, f"the first {arguments.products:,} products of Fashion Product Images")
    record("cluster", made, Path(tempfile.mkdtemp()) if quick else RESULTS)
    if not quick:
        known = read_json(RESULTS / "cluster.json")["figures"]
        PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), known, {}, TABLES), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = os.environ.get("LOOKALIKE_FPI")
    parser.add_argument("--catalogue", default=known, required=not known, help="folder of Fashion Product Images")
    weights = os.environ.get("LOOKALIKE_WEIGHTS", "weights")
    parser.add_argument("--encoders", default=weights, help="folder that holds mobilenet_v1_0.5_160")
    parser.add_argument("--workspace", default="runs/train-scaling", help="keeps the mined products for the next time")
    parser.add_argument("--products", type=int, default=2000, help="products of the catalogue that are read")
    parser.add_argument("--steps", type=int, default=20, help="steps measured in a turn")
    parser.add_argument("--turns", type=int, default=5, help="turns of one and of two processes")
    parser.add_argument("--quick", action="store_true", help="two short turns; nothing is kept")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
