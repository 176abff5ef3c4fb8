"""Batches of photos that depend on nothing but (seed, epoch, step): a resumed run needs no generator's state."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lookalike.damage.profiles import damage_image, find_profile
from lookalike.progress import progress
from lookalike.training.data import TrainingSet
from lookalike.training.plans import PHOTOS, EpochPlan
from lookalike.training.recipe import Recipe


class Batch(NamedTuple):
    """3T photos: T anchors, then T positives, then T negatives, or whole classes one after the other."""

    pixels: Tensor
    """(3T, H, W, 3) uint8, damaged."""
    clean: Tensor
    """(3T, H, W, 3) uint8, the same photos undamaged: what the decoder should find."""
    labels: Tensor
    """(3T, A) int64, -1 where unknown."""
    margins: Tensor
    """(T,) float32, in cosine distance; empty where drawn by class."""
    classes: Tensor
    """(3T,) int64 class numbers; empty where drawn by triplet."""


class NumberedBatches(Dataset):
    """The batches of one epoch, each made anew from its number."""

    def __init__(self, data: TrainingSet, recipe: Recipe, plan: EpochPlan, epoch: int) -> None:
        self._data, self._recipe, self._epoch = data, recipe, epoch
        self._draws = plan.draws(epoch)

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, step: int) -> Batch:
        products, margins, classes = self._draws[step]
        rng = np.random.default_rng([self._recipe.seed, PHOTOS, self._epoch, step])
        photos = self._data.first_photo[products] + rng.integers(0, self._data.photo_count[products])
        clean = self._data.photos[photos]  # (3T, H, W, 3)
        return Batch(
            pixels=torch.from_numpy(_damaged(clean, self._recipe, rng)),
            clean=torch.from_numpy(clean),
            labels=torch.from_numpy(self._data.labels[products]),
            margins=torch.from_numpy(margins),
            classes=torch.from_numpy(classes),
        )


def _damaged(photos: NDArray[np.uint8], recipe: Recipe, rng: Generator) -> NDArray[np.uint8]:
    damaged, profile = photos.copy(), find_profile(recipe.damage)
    for place in np.flatnonzero(rng.random(len(photos)) < recipe.damage_share):
        damaged[place] = np.asarray(damage_image(Image.fromarray(photos[place]), profile, rng))
    return damaged


class EpochBatches:
    """An epoch's batches under a progress bar, prepared in line or by worker processes."""

    def __init__(self, data: TrainingSet, recipe: Recipe, plan: EpochPlan, epoch: int) -> None:
        self._batches, self._workers = NumberedBatches(data, recipe, plan, epoch), recipe.workers
        self._label = f"train epoch {epoch + 1}/{recipe.epochs}"

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        loader = DataLoader(self._batches, batch_size=None, shuffle=False, num_workers=self._workers)
        return progress(loader, self._label, len(self))
