"""The models of the fresh cases, by name: each a real checkpoint trained further, with changed weights, or shown other
pixels. The list was written down before any of them was made, and the gate has not been changed since."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lookalike.training.data import TrainingSet

FINISHED, SHORT = "finished", "one epoch"
"""The two that are given: the workspace's model and the checkpoint after one epoch of its recipe."""
Pixels = NDArray[np.uint8]
"""(B, H, W, 3)."""
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Taught:
    """A checkpoint trained further, for the study's number of batches."""

    start: str
    seed: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Of the recipe."""
    vertical: str | None = None
    """The only vertical that is taught."""
    wrong: float = 0.0
    """Share of the products that have exchanged photos: their attributes and triplets are another's."""
    reversed: bool = False
    """Whether positives and negatives of the triplets are exchanged."""

    def data(self, given: TrainingSet) -> TrainingSet:
        """The training set as this run sees it."""
        rng, order = np.random.default_rng([self.seed, 7]), np.arange(len(given.first_photo))
        moved = np.flatnonzero(rng.random(len(order)) < self.wrong)
        order[moved] = rng.permutation(moved)
        triplets = given.triplets[:, [0, 2, 1]] if self.reversed else given.triplets
        first, count = given.first_photo[order], given.photo_count[order]
        return replace(given, first_photo=first, photo_count=count, triplets=triplets)


@dataclass(frozen=True)
class Edited:
    """A checkpoint with other weights; `others` are averaged with it first."""

    start: str
    edit: Callable[[Tensor], Tensor] = lambda weight: weight
    """Of every matrix and every filter; scales and shifts stay."""
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A checkpoint whose photos come differently prepared."""

    start: str
    see: Callable[[Pixels], Pixels]


def noisy(share: float) -> Callable[[Tensor], Tensor]:
    """Gaussian noise, `share` of the weights' own spread."""
    generator = torch.Generator().manual_seed(11)
    return lambda weight: weight + share * weight.std() * torch.randn(weight.shape, generator=generator)


def rounded(bits: int) -> Callable[[Tensor], Tensor]:
    """As many steps a side as `bits` allow, one scale for the whole tensor."""
    most = 2 ** (bits - 1) - 1
    return lambda weight: (weight / weight.abs().max() * most).round() / most * weight.abs().max()


def pruned(share: float) -> Callable[[Tensor], Tensor]:
    """The smallest weights are zero."""
    return lambda weight: torch.where(weight.abs() < weight.abs().flatten().quantile(share), 0.0, weight)


def coarse(pixels: Pixels) -> Pixels:
    """Resized to half and back, as where a thumbnail is sent instead of the photo."""
    height, width = pixels.shape[1:3]
    small = (Image.fromarray(each).resize((width // 2, height // 2)) for each in pixels)
    return np.stack([np.asarray(each.resize((width, height))) for each in small])


def cropped(pixels: Pixels) -> Pixels:
    """The middle four fifths, as where a photo is cut instead of fitted."""
    height, width = pixels.shape[1:3]
    box = (width // 10, height // 10, width - width // 10, height - height // 10)
    return np.stack([np.asarray(Image.fromarray(each).resize((width, height), box=box)) for each in pixels])


def grey(pixels: Pixels) -> Pixels:
    """Without colour."""
    return np.repeat(pixels.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)


Made = Taught | Edited | Shown
MODELS: Mapping[str, Made] = {
    "a little more than one epoch": Taught(SHORT, 1),
    "more than one epoch": Taught("a little more than one epoch", 2),
    "much more than one epoch": Taught("more than one epoch", 3),
    "average of two runs": Edited("more than one epoch", others=("much more than one epoch",)),
    "photos exchanged": Taught(FINISHED, 11, wrong=1.0),
    "a tenth of the attributes wrong": Taught(FINISHED, 12, wrong=0.1),
    "half of the attributes wrong": Taught(FINISHED, 13, wrong=0.5),
    "twenty times the learning rate": Taught(FINISHED, 14, {"learning_rate": 0.03}),
    "damaged photos only": Taught(FINISHED, 15, {"damage": "heavy", "damage_share": 1.0}),
    "footwear only": Taught(FINISHED, 16, vertical="Footwear"),
    "positives and negatives exchanged": Taught(FINISHED, 17, reversed=True),
    "noise in the weights": Edited(FINISHED, noisy(0.1)),
    "weights of four bits": Edited(FINISHED, rounded(4)),
    "half of the weights gone": Edited(FINISHED, pruned(0.5)),
    "averaged with one epoch": Edited(FINISHED, others=(SHORT,)),
    "thumbnails": Shown(FINISHED, coarse),
    "photos cut": Shown(FINISHED, cropped),
    "photos grey": Shown(FINISHED, grey),
    "noise trained away": Taught("noise in the weights", 18),
}
WORSE = (
    "photos exchanged", "a tenth of the attributes wrong", "half of the attributes wrong",
    "twenty times the learning rate", "damaged photos only", "footwear only", "positives and negatives exchanged",
    "noise in the weights", "weights of four bits", "half of the weights gone", "averaged with one epoch", "thumbnails",
    "photos cut", "photos grey", "much more than one epoch",
)  # fmt: skip
"""Challengers of the finished model that are meant to be worse."""
BETTER = (
    ("a little more than one epoch", SHORT),
    ("more than one epoch", SHORT),
    ("much more than one epoch", SHORT),
    ("more than one epoch", "a little more than one epoch"),
    ("much more than one epoch", "a little more than one epoch"),
    ("average of two runs", "a little more than one epoch"),
    (FINISHED, "much more than one epoch"),
    (FINISHED, "half of the attributes wrong"),
    (FINISHED, "footwear only"),
    (FINISHED, "twenty times the learning rate"),
    (FINISHED, "weights of four bits"),
    (FINISHED, "averaged with one epoch"),
    (FINISHED, "thumbnails"),
    ("noise trained away", "noise in the weights"),
)
"""Challenger and champion, the challenger meant to be better."""
CASES = (*((name, FINISHED) for name in WORSE), *BETTER)
"""(challenger, champion)."""
