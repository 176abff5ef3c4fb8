"""Batches of photos that depend on nothing but (seed, epoch, step): a resumed run needs no generator's state."""

from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from lookalike.damage.profiles import damage_image, find_profile
from lookalike.progress import progress
from lookalike.training.data import TrainingSet
from lookalike.training.plans import DAMAGE, PHOTOS, TWINS, EpochPlan
from lookalike.training.prefetch import prefetch
from lookalike.training.ranks import ALONE, Ranks
from lookalike.training.recipe import Recipe


class Batch(NamedTuple):
    """3T photos: T anchors, then T positives, then T negatives, or whole classes one after the other."""

    pixels: Tensor
    """(3T, H, W, 3) uint8, damaged; only this rank's rows where several processes share the batch."""
    clean: Tensor
    """(3T, H, W, 3) uint8, the same photos undamaged: what the decoder should find."""
    twins: Tensor
    """(V, H, W, 3) uint8, the batch's first V photos damaged anew; only this rank's rows. Empty where not wanted."""
    products: Tensor
    """(3T,) int64, the products shown."""
    labels: Tensor
    """(3T, A) int64, -1 where unknown."""
    margins: Tensor
    """(T,) float32, in cosine distance; empty where drawn by class."""
    classes: Tensor
    """(3T,) int64 class numbers; empty where drawn by triplet."""


class NumberedBatches(Dataset):
    """The batches of one epoch, each made anew from its number."""

    def __init__(self, data: TrainingSet, recipe: Recipe, plan: EpochPlan, epoch: int, ranks: Ranks = ALONE) -> None:
        self._data, self._recipe, self._epoch, self._ranks = data, recipe, epoch, ranks
        self._draws = plan.draws(epoch)

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, step: int) -> Batch:
        products, margins, classes = self._draws[step]
        rng = np.random.default_rng([self._recipe.seed, PHOTOS, self._epoch, step])
        photos = self._data.first_photo[products] + rng.integers(0, self._data.photo_count[products])
        clean = self._data.photos[photos]  # (3T, H, W, 3)
        return Batch(
            pixels=torch.from_numpy(self._damaged(clean, step)),
            clean=torch.from_numpy(clean),
            twins=torch.from_numpy(self._twins(clean, step)),
            products=torch.from_numpy(products),
            labels=torch.from_numpy(self._data.labels[products]),
            margins=torch.from_numpy(margins),
            classes=torch.from_numpy(classes),
        )

    def _damaged(self, photos: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
        return self._suffered(photos, step, DAMAGE, self._recipe.damage, self._recipe.damage_share)

    def _twins(self, photos: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
        wanted = photos[: self._recipe.twins.count] if self._recipe.tasks.instance else photos[:0]
        return self._suffered(wanted, step, TWINS, self._recipe.twins.damage, 1.0)

    def _suffered(
        self, photos: NDArray[np.uint8], step: int, stream: int, damage: str, share: float
    ) -> NDArray[np.uint8]:
        """This rank's rows; every photo has its own randomness, so it suffers the same on whichever rank."""
        rows, profile = self._ranks.rows(len(photos)), find_profile(damage)
        damaged = photos[rows]
        for place, row in enumerate(rows.tolist()):
            rng = np.random.default_rng([self._recipe.seed, stream, self._epoch, step, row])
            if rng.random() < share:
                damaged[place] = np.asarray(damage_image(Image.fromarray(photos[row]), profile, rng))
        return damaged


class EpochBatches:
    """An epoch's batches under a progress bar, prepared ahead by a thread or by worker processes."""

    def __init__(
        self,
        data: TrainingSet,
        recipe: Recipe,
        plan: EpochPlan,
        epoch: int,
        ranks: Ranks = ALONE,
        first_step: int = 0,
    ) -> None:
        """`first_step` is the first batch that is still wanted."""
        batches = NumberedBatches(data, recipe, plan, epoch, ranks)
        self._batches, self._workers = Subset(batches, range(first_step, len(batches))), recipe.workers
        self._label = f"train epoch {epoch + 1}/{recipe.epochs}" if ranks.rank == 0 else None

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        batches: Iterable[Batch] = self._from_workers() if self._workers else prefetch(self._batches)
        return iter(batches) if self._label is None else progress(batches, self._label, len(self))

    def _from_workers(self) -> DataLoader:
        return DataLoader(
            self._batches,
            batch_size=None,
            shuffle=False,
            num_workers=self._workers,
            multiprocessing_context=_clean_processes(),
        )


def _clean_processes() -> BaseContext:
    """Workers fork from a process that runs no threads: copies of one that does (gRPC, torch) may die at once."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context
