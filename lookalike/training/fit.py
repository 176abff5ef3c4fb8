"""The training stage: triplets and photos in, a checkpoint out."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from lookalike.catalog.products import load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.errors import TrainingError
from lookalike.mining.table import TRIPLETS
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.encoder import build_encoder, source_digest
from lookalike.storage import StageRecord, digest_json, read_seal, run_stage
from lookalike.training.checkpoint import (
    BACKBONE,
    RECORD,
    WEIGHTS,
    build_network,
    load_backbone,
    save_checkpoint,
    tensors_of,
)
from lookalike.training.data import load_training_set
from lookalike.training.loop import run_epochs
from lookalike.training.recipe import Recipe
from lookalike.training.state import History
from lookalike.training.warm_start import inherit_weights, require_same_space

METRICS = "metrics.csv"


def train(
    validated: Path,
    splits: Path,
    triplets: Path,
    output: Path,
    recipe: Recipe,
    resume_folder: Path | None = None,
    start_from: Path | None = None,
    encoder_folders: Sequence[Path] = (),
    cache_folder: Path | None = None,
) -> StageRecord:
    """Train a recipe and write weights.safetensors, backbone.safetensors, checkpoint.json and metrics.csv.

    With a `resume_folder` an interrupted run goes on after its last whole epoch and ends with the numbers an
    uninterrupted one would have had. `start_from` is an earlier checkpoint to go on from. `encoder_folders` are
    searched for the recipe's pretrained encoder. Decoded photos are kept under `cache_folder` for the next run on
    the same catalogue. Raises TrainingError.
    """
    inputs = {"validated": validated, "splits": splits, "triplets": triplets}
    inputs |= {} if start_from is None else {"start_from": start_from}
    settings = {
        "recipe": recipe.model_dump(mode="json"),
        "encoder": None if start_from else source_digest(recipe.encoder, encoder_folders),
    }
    state_folder = None if resume_folder is None else resume_folder / _run_name(inputs, settings)

    def work(folder: Path) -> dict[str, Any]:
        catalogue = load_catalogue(validated)
        _require_training_products(splits, triplets)
        labels = {name: catalogue.attribute_values(name) for name in catalogue.attributes}
        data = load_training_set(catalogue, triplets, recipe.preprocessing, cache_folder)
        with torch.random.fork_rng(devices=[]):  # the caller's own draws stay as they were
            network, backbone = _starting_network(recipe, labels, encoder_folders, start_from)
            history = run_epochs(network, data, recipe, state_folder)
        checkpoint = save_checkpoint(folder, network, recipe, labels, backbone)
        _metrics_table(history).to_csv(folder / METRICS, index=False)
        return {"fingerprint": checkpoint.identity.fingerprint, "photos": int(data.photo_count.sum()), **history[-1]}

    record = run_stage(
        "train", output, inputs=inputs, settings=settings, content=[WEIGHTS, BACKBONE, RECORD], work=work
    )
    if state_folder is not None:
        shutil.rmtree(state_folder, ignore_errors=True)  # the run is over; nothing is left to resume
    return record


def _metrics_table(history: History) -> pd.DataFrame:
    first = ["epoch", "steps", "loss"]
    return pd.DataFrame(history)[[*first, *sorted(set(history[0]) - set(first))]]


def _run_name(inputs: Mapping[str, Path], settings: Mapping[str, Any]) -> str:
    """Folder of a run's state: another recipe or other data never resumes from it."""
    return digest_json({**settings, **{name: read_seal(path).content for name, path in inputs.items()}})[:12]


def _require_training_products(splits: Path, triplets: Path) -> None:
    table = pd.read_parquet(splits / SPLITS, columns=["product_id", "split"])
    training = set(table.loc[table["split"] == "train", "product_id"])
    named = pd.read_parquet(triplets / TRIPLETS, columns=["anchor", "positive", "negative"])
    stray = set(named.to_numpy().ravel()) - training
    if stray:
        raise TrainingError(
            f"{triplets} names {len(stray)} products outside the train split of {splits}, for example "
            f"'{min(stray)}'; mine again from this split"
        )


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
