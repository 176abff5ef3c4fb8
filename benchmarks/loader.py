"""Measure how long a training step waits for its batch, on a shop's photos or, quickly, on random ones.

The recipe trains as it always does, batches prepared ahead by a thread; a stopwatch beside it takes the time from
the end of one step to the start of the next.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
import torch

from benchmarks.results import RESULTS, Figure, record
from lookalike.catalog.products import load_catalogue
from lookalike.config import load_config
from lookalike.models.encoder import build_encoder
from lookalike.training.checkpoint import build_network
from lookalike.training.data import TrainingSet, load_training_set
from lookalike.training.loop import run_epochs
from lookalike.training.recipe import Recipe
from lookalike.workspace import Workspace

COMMAND = "make bench-loader"
RECIPE = Path(__file__).parents[1] / "pipelines" / "recipes" / "fashion_cpu.yaml"
GOAL = 0.10
RANDOM_PHOTOS, RANDOM_LABELS = 2000, 9


@dataclass(frozen=True)
class EpochTime:
    """Seconds of one epoch."""

    whole: float
    waiting: float

    @property
    def share(self) -> float:
        return self.waiting / self.whole


class Stopwatch(lightning.Callback):
    """Time between the end of a step and the start of the next, where the batch is waited for."""

    def __init__(self) -> None:
        self.epochs: list[EpochTime] = []
        self._started = self._free_since = self._waiting = 0.0

    def on_train_epoch_start(self, *_: object) -> None:
        self._started = self._free_since = time.perf_counter()
        self._waiting = 0.0

    def on_train_batch_start(self, *_: object) -> None:
        self._waiting += time.perf_counter() - self._free_since

    def on_train_batch_end(self, *_: object) -> None:
        self._free_since = time.perf_counter()

    def on_train_epoch_end(self, *_: object) -> None:
        self.epochs.append(EpochTime(self._free_since - self._started, self._waiting))


def main() -> int:
    arguments = _parser().parse_args()
    steps, epochs = (10, 3) if arguments.quick else (arguments.steps, arguments.epochs)
    recipe = load_config(Recipe, RECIPE)
    recipe = recipe.model_copy(
        update={"epochs": epochs + 1, "anchors_per_epoch": steps * recipe.triplets_per_batch, "device": "cpu"}
    )
    data, source = _random_photos(recipe), f"{RANDOM_PHOTOS} random photos"
    if not arguments.quick:
        data, source = _shop(Workspace(Path(arguments.workspace)), recipe), "the shop's own photos"
    times = _measure(recipe, data, Path(arguments.encoders))
    figures = {"loader_wait": _figure(times, steps, source), "loader_gpu_rate": _gpu_figure()}
    record("embedding", figures, Path(tempfile.mkdtemp()) if arguments.quick else RESULTS)
    return 0 if figures["loader_wait"].met else 1


def _measure(recipe: Recipe, data: TrainingSet, encoders: Path) -> list[EpochTime]:
    """Every epoch but the first, which also pays for allocating and choosing kernels."""
    torch.manual_seed(recipe.seed)
    labels = {name: [str(value) for value in range(data.labels.max() + 1)] for name in data.attributes}
    network, stopwatch = build_network(build_encoder(recipe.encoder, [encoders]), recipe, labels), Stopwatch()
    run_epochs(network, data, recipe, callbacks=[stopwatch])
    return stopwatch.epochs[1:]


def _figure(times: Sequence[EpochTime], steps: int, source: str) -> Figure:
    shares = sorted(time.share for time in times)
    value = statistics.median(shares)
    how = (
        f"fashion_cpu as it trains (MobileNetV1-0.5, 96x72, 96 photos a step, half of them damaged) on {source}: "
        f"median over {len(times)} epochs of {steps} steps, {shares[0]:.4f} to {shares[-1]:.4f}; a step takes "
        f"{statistics.median(time.whole for time in times) / steps:.2f} s on {torch.get_num_threads()} of "
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end"
    )
    return Figure(value, "share of a training step", how, COMMAND, f"< {GOAL:g}", value < GOAL, n=len(times) * steps)


def _gpu_figure() -> Figure:
    how = (
        "not measured: no GPU was at hand. Images/s of training on a GPU against forward and backward alone would need "
        "one; `workers` in the recipe adds preparing processes there"
    )
    return Figure(None, "ratio", how, COMMAND, ">= 0.9")


def _shop(shop: Workspace, recipe: Recipe) -> TrainingSet:
    catalogue = load_catalogue(shop.validated)
    return load_training_set(catalogue, shop.triplets, recipe.preprocessing, shop.root / "decoded")


def _random_photos(recipe: Recipe) -> TrainingSet:
    rng, size = np.random.default_rng(recipe.seed), recipe.preprocessing
    count = RANDOM_PHOTOS
    return TrainingSet(
        photos=rng.integers(0, 256, (count, size.height, size.width, 3), dtype=np.uint8),
        first_photo=np.arange(count),
        photo_count=np.ones(count, np.int64),
        labels=rng.integers(0, RANDOM_LABELS, (count, 3)),
        attributes=("shape", "colour", "season"),
        alike=(0, 1),
        triplets=np.stack([np.arange(count), rng.permutation(count), rng.permutation(count)], axis=1),
        margins=np.full(count, 0.2, np.float32),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", default="runs/shop", help="where `lookalike mine` left validated/ and triplets/")
    default = os.environ.get("LOOKALIKE_WEIGHTS", "weights")
    parser.add_argument("--encoders", default=default, help="folder that holds mobilenet_v1_0.5_160")
    parser.add_argument("--steps", type=int, default=50, help="steps per epoch")
    parser.add_argument("--epochs", type=int, default=5, help="epochs measured, after one that is not")
    parser.add_argument("--quick", action="store_true", help="random photos and few steps; the figure is not kept")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
