"""One turn of the measurement, in each of the processes that train together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, distributed

from lookalike.catalog.products import load_catalogue
from lookalike.models.embedder import EmbeddingNetwork, Encoded
from lookalike.models.encoder import build_encoder
from lookalike.storage import write_json
from lookalike.training.batches import Batch, NumberedBatches
from lookalike.training.checkpoint import build_network
from lookalike.training.data import TrainingSet, load_training_set
from lookalike.training.group import joined
from lookalike.training.loop import run_epochs
from lookalike.training.module import TrainingModule
from lookalike.training.objective import Objective
from lookalike.training.plans import epoch_plan
from lookalike.training.ranks import Ranks
from lookalike.training.recipe import Recipe

REPEATS = 15


@dataclass(frozen=True)
class Turn:
    """What a process has to know."""

    validated: Path
    triplets: Path
    cache: Path
    recipe: Recipe
    encoders: Path
    output: Path


class Steps(lightning.Callback):
    """When each step ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        self.ends.append(time.perf_counter())


def take_turn(turn: Turn) -> None:
    """Train on one thread and write the seconds of each step; then those of the step's parts."""
    torch.set_num_threads(1)
    ranks, steps, recipe = Ranks.from_environment(), Steps(), turn.recipe
    with joined(ranks):
        catalogue = load_catalogue(turn.validated)
        data = load_training_set(catalogue, turn.triplets, recipe.preprocessing, turn.cache)
        labels = {name: catalogue.attribute_values(name) for name in catalogue.attributes}
        torch.manual_seed(recipe.seed)
        network = build_network(build_encoder(recipe.encoder, [turn.encoders]), recipe, labels)
        run_epochs(network, data, recipe, callbacks=[steps])
        told: dict[str, Any] = {"steps": np.diff(steps.ends).tolist()}
        told |= _undivided(network, data, recipe) if ranks.world == 1 else _exchanges(network)
    if ranks.rank == 0:
        write_json(turn.output, told)


def _undivided(network: EmbeddingNetwork, data: TrainingSet, recipe: Recipe) -> dict[str, Any]:
    """What every process does for the whole batch: from the gathered encodings on, and the optimiser's step."""
    plan = epoch_plan(data, recipe)
    module = TrainingModule(network, Objective(recipe, data.alike, plan.class_count), recipe, plan.steps)
    optimiser, batch = module.configure_optimizers(), NumberedBatches(data, recipe, plan, 0)[0]
    with torch.no_grad():
        whole = network(module.normaliser(batch.pixels))
    parameters = [each for group in optimiser.param_groups for each in group["params"]]
    for each in parameters:
        each.grad = torch.zeros_like(each)

    def behind_the_gathering() -> None:
        _losses(module, whole, batch).backward()
        torch.nn.utils.clip_grad_norm_(parameters, recipe.gradient_clip)
        optimiser.step()

    carried = [whole.embedding, whole.mean, whole.log_variance]
    return {
        "undivided": _median_seconds(behind_the_gathering),
        "gradient_bytes": sum(each.numel() * each.element_size() for each in parameters),
        "encoding_bytes": sum(each.numel() * each.element_size() for each in carried if each is not None),
        "batch": len(batch.pixels),
    }


def _losses(module: TrainingModule, whole: Encoded, batch: Batch) -> Tensor:
    def leaf(tensor: Tensor) -> Tensor:
        return tensor.detach().requires_grad_()

    encoded = Encoded(
        leaf(whole.embedding), leaf(whole.mean), None if whole.log_variance is None else leaf(whole.log_variance)
    )
    return module.objective.total(module.objective.losses(module.network, encoded, batch, None), 1.0)


def _exchanges(network: EmbeddingNetwork) -> dict[str, Any]:
    """Reducing all gradients, and one number: bandwidth and latency between these processes."""
    gradients = torch.zeros(sum(each.numel() for each in network.parameters()))
    number = torch.zeros(1)
    return {
        "reducing": _median_seconds(lambda: distributed.all_reduce(gradients)),
        "latency": _median_seconds(lambda: distributed.all_reduce(number)) / 2,  # two messages around a ring of two
    }


def _median_seconds(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[1:]))
