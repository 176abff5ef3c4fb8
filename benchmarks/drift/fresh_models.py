"""The models of the fresh cases, by name: whole trainings of another study, and the workspace's model trained further,
with changed weights, or shown other pixels. The list was written down before any result was looked at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.drift.sides import Pixels, See

FINISHED = "finished"
"""The workspace's model."""


@dataclass(frozen=True)
class Taught:
    """A checkpoint trained further, for the study's number of batches."""

    start: str
    seed: int
    vertical: str | None = None
    """The only vertical that is taught."""


@dataclass(frozen=True)
class Edited:
    """A checkpoint with other weights."""

    start: str
    edit: Callable[[Tensor], Tensor]
    """Of every matrix and every filter; scales and shifts stay."""


@dataclass(frozen=True)
class Shown:
    """A checkpoint whose photos come differently prepared."""

    start: str
    see: See


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


def grey(pixels: Pixels) -> Pixels:
    """Without colour."""
    return np.repeat(pixels.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)


Made = Taught | Edited | Shown
ARMS = (
    "attributes", "multi_task", "multi_task_contrast", "multi_task_hard", "multi_task_uncertainty", "single_attribute",
    "multi_attribute", "multi_similarity", "proxy_anchor", "single_label", "vae",
)  # fmt: skip
"""Whole trainings of the embedding study: the same photos, split and encoder, other tasks and losses. The first five
have heads for the attributes, the others none: a model that tells less than the champion is refused for that alone."""
MODELS: Mapping[str, Made] = {
    "noise in the weights": Edited(FINISHED, noisy(0.1)),
    "weights of four bits": Edited(FINISHED, rounded(4)),
    "half of the weights gone": Edited(FINISHED, pruned(0.5)),
    "thumbnails": Shown(FINISHED, coarse),
    "photos grey": Shown(FINISHED, grey),
    "footwear only": Taught(FINISHED, 16, vertical="Footwear"),
}
"""What is made of the workspace's model."""
PAIRS = (
    ("attributes", "multi_task"),
    ("multi_task", "multi_task_contrast"),
    ("multi_task_contrast", "multi_task_hard"),
    ("multi_task_hard", "multi_task_uncertainty"),
    ("multi_task_uncertainty", "attributes"),
    ("multi_task_contrast", "attributes"),
    ("single_attribute", "multi_attribute"),
    ("multi_attribute", "multi_similarity"),
    ("multi_similarity", "proxy_anchor"),
    ("proxy_anchor", "single_label"),
    ("single_label", "vae"),
    ("single_label", "single_attribute"),
    ("vae", "single_attribute"),
    *((name, FINISHED) for name in MODELS),
)
CASES = tuple(case for one, other in PAIRS for case in ((one, other), (other, one)))
"""(challenger, champion): each pair both ways, so that whichever is better stands once on either side."""
