"""The test split, where the gate looks, and the validation split, where only we look: every photo decoded once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.drift.gate_shop import GateShop, Model
from lookalike.catalog.images import Preprocessing
from lookalike.embedders.protocol import Embedder, Embeddings
from lookalike.evaluation.measure import Embedded
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.progress import progress
from lookalike.training.embedder import TorchEmbedder

TEST, VALIDATION = "test", "validation"
BATCH = 64
Pixels = NDArray[np.uint8]
"""(B, H, W, 3)."""
See = Callable[[Pixels], Pixels]


def as_they_are(pixels: Pixels) -> Pixels:
    """What a model should be shown."""
    return pixels


class QuickEmbedder(TorchEmbedder):
    """The same answers with the weights in the pixels' own layout, a third sooner on CPUs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._model = self._model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Sides:
    """Both splits, for models that all want the same pixels."""

    shops: dict[str, GateShop]
    """By split."""
    preprocessing: Preprocessing

    @classmethod
    def read(cls, validated: Path, splits: Path, preprocessing: Preprocessing, products: int) -> "Sides":
        """At most `products` of each split, and a quarter of them damaged, too."""
        settings = EvaluationSettings(damaged_queries=products // 4)
        parts = (settings.model_copy(update={"split": side}) for side in (TEST, VALIDATION))
        return cls({each.split: GateShop.read(validated, splits, each, products) for each in parts}, preprocessing)

    def ask(self, embedder: Embedder, side: str, label: str, see: See = as_they_are) -> Model:
        """A model's answers to all photos of a split."""
        shown, damaged = (
            embed_pixels(embedder, self._pixels[side, photos], f"{label}, {side}", see)
            for photos in (CATALOGUE, DAMAGED)
        )
        return Model(embedder.identity, Embedded(shown, {CATALOGUE: shown, DAMAGED: damaged}))

    @cached_property
    def _pixels(self) -> dict[tuple[str, str], Pixels]:
        photos = {
            (side, name): each
            for side, shop in self.shops.items()
            for name, each in ((CATALOGUE, shop.gallery), (DAMAGED, shop.queries[1].photos))
        }
        return {key: self.preprocessing.batch(list(each.contents)) for key, each in photos.items()}


def embed_pixels(embedder: Embedder, pixels: Pixels, label: str, see: See = as_they_are) -> Embeddings:
    """Decoded photos through a model, as it is made to see them."""
    starts = progress(range(0, len(pixels), BATCH), label)
    parts = [embedder.embed(see(pixels[start : start + BATCH])) for start in starts]
    heads = {name: np.concatenate([part.attributes[name] for part in parts]) for name in parts[0].attributes}
    return Embeddings(np.concatenate([part.vectors for part in parts]), heads)
