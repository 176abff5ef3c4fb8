"""Batches of triplets that depend on nothing but (seed, epoch, step): a resumed run needs no generator's state."""

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
from lookalike.training.recipe import Recipe

ORDER, CHOICE, PHOTOS = range(3)
"""Independent streams of randomness under one seed."""


class Batch(NamedTuple):
    """T triplets as 3T photos: T anchors, then T positives, then T negatives."""

    pixels: Tensor
    """(3T, H, W, 3) uint8, damaged."""
    clean: Tensor
    """(3T, H, W, 3) uint8, the same photos undamaged: what the decoder should find."""
    labels: Tensor
    """(3T, A) int64, -1 where unknown."""
    margins: Tensor
    """(T,) float32, in cosine distance."""


class EpochPlan:
    """Which triplets make up each epoch: one triplet per anchor, another one every time the anchor returns."""

    def __init__(self, data: TrainingSet, recipe: Recipe) -> None:
        _, self._first, self._count = np.unique(data.triplets[:, 0], return_index=True, return_counts=True)
        self._seed, self._size = recipe.seed, recipe.triplets_per_batch
        self._anchors = min(recipe.anchors_per_epoch or len(self._first), len(self._first))

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return -(-self._anchors // self._size)

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """Triplet numbers of each batch; no anchor comes twice before all have come once, across epochs too."""
        anchors = self._stream(epoch * self._anchors, (epoch + 1) * self._anchors)
        rng = np.random.default_rng([self._seed, CHOICE, epoch])
        chosen = self._first[anchors] + rng.integers(0, self._count[anchors])
        return np.array_split(chosen, range(self._size, len(chosen), self._size))

    def _stream(self, start: int, stop: int) -> NDArray[np.int64]:
        """A stretch of the endless row of shuffled rounds through all anchors."""
        length = len(self._first)
        rounds = range(start // length, -(-stop // length))
        row = np.concatenate([np.random.default_rng([self._seed, ORDER, turn]).permutation(length) for turn in rounds])
        return row[start - rounds.start * length : stop - rounds.start * length]


class TripletBatches(Dataset):
    """The batches of one epoch, each made anew from its number."""

    def __init__(self, data: TrainingSet, recipe: Recipe, plan: EpochPlan, epoch: int) -> None:
        self._data, self._recipe, self._epoch = data, recipe, epoch
        self._batches = plan.batches(epoch)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, step: int) -> Batch:
        triplets = self._batches[step]
        products = self._data.triplets[triplets].T.ravel()  # (3T,): anchors, positives, negatives
        rng = np.random.default_rng([self._recipe.seed, PHOTOS, self._epoch, step])
        photos = self._data.first_photo[products] + rng.integers(0, self._data.photo_count[products])
        clean = self._data.photos[photos]  # (3T, H, W, 3)
        return Batch(
            pixels=torch.from_numpy(_damaged(clean, self._recipe, rng)),
            clean=torch.from_numpy(clean),
            labels=torch.from_numpy(self._data.labels[products]),
            margins=torch.from_numpy(self._data.margins[triplets]),
        )


def _damaged(photos: NDArray[np.uint8], recipe: Recipe, rng: Generator) -> NDArray[np.uint8]:
    damaged, profile = photos.copy(), find_profile(recipe.damage)
    for place in np.flatnonzero(rng.random(len(photos)) < recipe.damage_share):
        damaged[place] = np.asarray(damage_image(Image.fromarray(photos[place]), profile, rng))
    return damaged


class EpochBatches:
    """An epoch's batches under a progress bar, prepared in line or by worker processes."""

    def __init__(self, data: TrainingSet, recipe: Recipe, plan: EpochPlan, epoch: int) -> None:
        self._batches, self._workers = TripletBatches(data, recipe, plan, epoch), recipe.workers
        self._label = f"train epoch {epoch + 1}/{recipe.epochs}"

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        loader = DataLoader(self._batches, batch_size=None, shuffle=False, num_workers=self._workers)
        return progress(loader, self._label, len(self))
