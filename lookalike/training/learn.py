"""A training run from files to a trained network; in every process that takes part, the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lookalike.catalog.products import load_catalogue
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.encoder import build_encoder
from lookalike.training.checkpoint import build_network, load_backbone, tensors_of
from lookalike.training.data import load_training_set
from lookalike.training.group import joined
from lookalike.training.loop import run_epochs
from lookalike.training.project import project
from lookalike.training.ranks import Ranks
from lookalike.training.recipe import Recipe
from lookalike.training.shelves import open_shelf
from lookalike.training.state import History
from lookalike.training.state_store import StateStore
from lookalike.training.warm_start import inherit_weights, require_same_space


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """What a process has to know to take part; see `train` for the meaning."""

    validated: Path
    triplets: Path
    recipe: Recipe
    start_from: Path | None
    encoder_folders: tuple[Path, ...]
    cache_folder: Path | None
    state: str | None
    """Address of this run's states, a folder or a URL."""
    save_every_steps: int


@dataclass(frozen=True)
class Learnt:
    """A finished run."""

    network: EmbeddingNetwork
    backbone: dict[str, Tensor]
    """The encoder's weights before any training."""
    labels: dict[str, list[str]]
    """Values per attribute."""
    photos: int
    """P, photos learned from."""
    history: History


def learn(run: TrainingRun) -> Learnt:
    """Train from the run's last saved state, or from the start, with whoever trains beside. Raises TrainingError."""
    with joined(Ranks.from_environment()):
        return _learn(run)


def _learn(run: TrainingRun) -> Learnt:
    catalogue = load_catalogue(run.validated)
    labels = {name: catalogue.attribute_values(name) for name in catalogue.attributes}
    data = load_training_set(catalogue, run.triplets, run.recipe.preprocessing, run.cache_folder)
    store = StateStore(open_shelf(run.state)) if run.state else None
    with torch.random.fork_rng(devices=[]):  # the caller's own draws stay as they were
        network, backbone = _starting_network(run.recipe, labels, run.encoder_folders, run.start_from)
        history = run_epochs(network, data, run.recipe, store, run.save_every_steps)
    project(network, data, run.recipe)
    return Learnt(network, backbone, labels, int(data.photo_count.sum()), history)


def _starting_network(
    recipe: Recipe, labels: dict[str, list[str]], folders: Sequence[Path], start_from: Path | None
) -> tuple[EmbeddingNetwork, dict[str, Tensor]]:
    """The network before its first step, and its encoder's weights before any training."""
    torch.manual_seed(recipe.seed)
    if start_from is None:
        network = build_network(build_encoder(recipe.encoder, folders), recipe, labels)
        return network, {name: value.clone() for name, value in tensors_of(network.encoder).items()}
    encoder, earlier = load_backbone(start_from)
    require_same_space(recipe, earlier, start_from)
    network = build_network(encoder, recipe, labels)
    backbone = {name: value.clone() for name, value in tensors_of(encoder).items()}
    inherit_weights(network, labels, start_from)
    return network, backbone
