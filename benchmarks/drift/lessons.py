"""A few steps of real training from a checkpoint: what the planted challengers and the poisoned ones go through."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.config import parse_config
from lookalike.mining.mine import TrainingProducts, training_products
from lookalike.mining.multilevel import mine_by_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.table import TRIPLETS, write_triplets
from lookalike.mining.triplets import Triplets, join_triplets
from lookalike.storage import atomic_folder
from lookalike.training.checkpoint import BACKBONE, load_checkpoint, read_checkpoint, save_checkpoint
from lookalike.training.data import TrainingSet, load_training_set
from lookalike.training.loop import run_epochs
from lookalike.training.recipe import Recipe

PER_PRODUCT = 4
"""Triplets mined for every product: more than the few steps draw."""
Clicked = Callable[[TrainingProducts], Triplets]
"""Triplets that are added to those of the attributes."""


def training_set(
    validated: Path, ids: NDArray[np.object_], preprocessing: Preprocessing, seed: int, clicked: Clicked | None = None
) -> TrainingSet:
    """Mine the named products as the mining stage does, and decode their photos."""
    settings = MiningSettings(seed=seed, triplets_per_anchor=PER_PRODUCT)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pd.DataFrame({"product_id": ids, "split": "train"}).to_parquet(folder / SPLITS)
        products = training_products(validated, folder, settings)
        mined = mine_by_levels(products.labels, products.duplicates, settings, workers=1).triplets
        triplets = join_triplets([mined, *([] if clicked is None else [clicked(products)])])
        write_triplets(folder / TRIPLETS, triplets, products.ids, settings)
        return load_training_set(load_catalogue(validated), folder, preprocessing)


def relabelled(data: TrainingSet, had: Mapping[str, list[str]], wanted: Mapping[str, list[str]]) -> TrainingSet:
    """The labels as numbers of another model's values; those it does not know are unknown."""
    columns = []
    for column, name in enumerate(data.attributes):
        places = {value: place for place, value in enumerate(wanted.get(name, []))}
        numbers = np.array([places.get(value, -1) for value in had[name]] + [-1])
        columns.append(numbers[data.labels[:, column]])  # a label of -1 takes the last
    return replace(data, labels=np.stack(columns, axis=1))


def teach(start: Path, data: TrainingSet, steps: int, output: Path, changes: Mapping[str, Any]) -> Path:
    """Go on from a checkpoint for `steps` batches of its own recipe with `changes`; kept, so done once."""
    if output.is_dir():
        return output
    network, checkpoint = load_checkpoint(start)
    own = checkpoint.recipe.model_dump(mode="json")
    batch = changes.get("triplets_per_batch", own["triplets_per_batch"])
    brief = {"epochs": 1, "anchors_per_epoch": steps * batch, "device": "cpu", "workers": 0}
    recipe = parse_config(Recipe, {**own, **brief, **changes}, "lesson")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        run_epochs(network, data, recipe)
    with atomic_folder(output) as aside:
        labels = checkpoint.identity.attribute_labels
        save_checkpoint(aside, network, recipe, labels, load_file(start / BACKBONE))
    return output


def preprocessing_of(checkpoint: Path) -> Preprocessing:
    """The pixels a checkpoint was trained on."""
    return read_checkpoint(checkpoint).recipe.preprocessing
