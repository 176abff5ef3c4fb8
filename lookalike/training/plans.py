"""Which products make up each batch, as a function of nothing but (seed, epoch, step).

A resumed run needs no generator's state, and however products are drawn, a batch has 3T photos and an epoch the
same number of batches: recipes that differ in their tasks alone have the same budget.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lookalike.errors import TrainingError
from lookalike.models.losses import UNKNOWN
from lookalike.training.data import TrainingSet
from lookalike.training.recipe import Recipe

ORDER, CHOICE, PHOTOS, CLASSES, DAMAGE, TWINS = range(6)
"""Independent streams of randomness under one seed."""

NO_MARGINS = np.empty(0, np.float32)
NO_CLASSES = np.empty(0, np.int64)


class Draw(NamedTuple):
    """The products of one batch."""

    products: NDArray[np.int64]
    """(3T,) places in the training set; for triplets the anchors, then the positives, then the negatives."""
    margins: NDArray[np.float32]
    """(T,) for triplets, else empty."""
    classes: NDArray[np.int64]
    """(3T,) class numbers where drawn by class, else empty."""


class EpochPlan(Protocol):
    """The draws of every epoch."""

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        ...

    @property
    def class_count(self) -> int:
        """C, the classes drawn from; 0 for triplets."""
        ...

    def draws(self, epoch: int) -> list[Draw]:
        """One draw per batch of an epoch."""
        ...


def epoch_plan(data: TrainingSet, recipe: Recipe) -> EpochPlan:
    """By class where the recipe ranks by labels, by mined triplet elsewhere."""
    return ClassPlan(data, recipe) if recipe.tasks.label_ranking else TripletPlan(data, recipe)


class TripletPlan:
    """One triplet per anchor, another one every time the anchor returns."""

    class_count = 0

    def __init__(self, data: TrainingSet, recipe: Recipe) -> None:
        _, self._first, self._count = np.unique(data.triplets[:, 0], return_index=True, return_counts=True)
        self._data, self._seed, self._size = data, recipe.seed, recipe.triplets_per_batch
        self._anchors = _anchors_per_epoch(data, recipe)

    @property
    def steps(self) -> int:
        return -(-self._anchors // self._size)

    def draws(self, epoch: int) -> list[Draw]:
        data = self._data
        return [Draw(data.triplets[n].T.ravel(), data.margins[n], NO_CLASSES) for n in self.batches(epoch)]

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


class ClassPlan:
    """Whole classes: `photos_per_class` products each, no product twice while its class has others."""

    def __init__(self, data: TrainingSet, recipe: Recipe) -> None:
        numbers = class_numbers(data.labels[:, _places(data, recipe)])
        self._settings, self._seed = recipe.label_ranking, recipe.seed
        self._size = 3 * recipe.triplets_per_batch // recipe.label_ranking.photos_per_class
        self.steps = -(-_anchors_per_epoch(data, recipe) // recipe.triplets_per_batch)
        drawn = np.flatnonzero(numbers != UNKNOWN)
        by_class = drawn[np.argsort(numbers[drawn], kind="stable")]
        counts = np.bincount(numbers[drawn])  # (C,)
        self.class_count = len(counts)
        self._members = np.split(by_class, np.cumsum(counts)[:-1])
        self._odds = counts / counts.sum() if self._settings.draw == "products" else None
        if self.class_count < self._size:
            raise TrainingError(
                f"a batch wants {self._size} classes of two or more products, and there are {self.class_count}; "
                "raise label_ranking.photos_per_class, lower triplets_per_batch or name other label_ranking.attributes"
            )

    def draws(self, epoch: int) -> list[Draw]:
        return [self._draw(np.random.default_rng([self._seed, CLASSES, epoch, step])) for step in range(self.steps)]

    def _draw(self, rng: Generator) -> Draw:
        classes = rng.choice(self.class_count, self._size, replace=False, p=self._odds)
        each = self._settings.photos_per_class
        # A class smaller than wanted starts over: its photos then differ by damage, if by nothing else.
        products = [np.resize(rng.permutation(self._members[number]), each) for number in classes]
        return Draw(np.concatenate(products), NO_MARGINS, np.repeat(classes, each))


def class_numbers(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, A') labels to (N,) numbers, equal where all labels are; -1 with an unknown label or without an alike one."""
    _, rows, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    drawn = (labels != UNKNOWN).all(axis=1) & (counts[rows] >= 2)
    numbers = np.full(len(labels), UNKNOWN, np.int64)
    numbers[drawn] = np.unique(rows[drawn], return_inverse=True)[1]
    return numbers


def _places(data: TrainingSet, recipe: Recipe) -> list[int]:
    """Columns of the labels that make a class."""
    wanted = recipe.label_ranking.attributes
    unknown = sorted(set(wanted) - set(data.attributes))
    if unknown:
        raise TrainingError(f"label_ranking.attributes names {unknown}; the catalogue has {list(data.attributes)}")
    return [data.attributes.index(name) for name in wanted] if wanted else list(data.alike)


def _anchors_per_epoch(data: TrainingSet, recipe: Recipe) -> int:
    anchors = len(np.unique(data.triplets[:, 0]))
    return min(recipe.anchors_per_epoch or anchors, anchors)
