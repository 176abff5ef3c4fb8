"""An embedder without a model: photos with similar colours in similar places are near one another.

It stands in wherever a real model would only cost time; its vectors are the same on every machine.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.images import Preprocessing
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.embedders.tensors import answer, attribute_count, check_pixels
from lookalike.storage import digest_json

GRID = 4
"""Rows and columns of the colour grid a photo is reduced to."""


class MemoryEmbedder:
    """Mean colours of a 4x4 grid, projected by a seeded matrix and scaled to unit length.

    Another seed is another model: another fingerprint and another vector space. Attribute probabilities
    are a seeded softmax of the same grid, present when `attribute_labels` are given.
    """

    def __init__(
        self,
        preprocessing: Preprocessing | None = None,
        dimension: int = 32,
        attribute_labels: Mapping[str, Sequence[str]] | None = None,
        seed: int = 0,
    ) -> None:
        labels = {name: list(values) for name, values in (attribute_labels or {}).items()}
        random = np.random.default_rng(seed)
        features = GRID * GRID * 3 + 1
        self._project = random.standard_normal((features, dimension)).astype(np.float32)
        self._heads = random.standard_normal((features, attribute_count(labels))).astype(np.float32)
        self._identity = ModelIdentity(
            weights=digest_json({"memory embedder": seed}),
            preprocessing=preprocessing or Preprocessing(),
            dimension=dimension,
            attribute_labels=labels,
        )

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        check_pixels(pixels, self._identity.preprocessing)
        features = _colour_grid(pixels)  # (B, 49)
        vectors = features @ self._project  # (B, D)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return answer(vectors, self._probabilities(features), self._identity, len(pixels))

    def _probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        columns, start = [features[:, :0]], 0
        for values in self._identity.attribute_labels.values():
            logits = features @ self._heads[:, start : start + len(values)]  # (B, C)
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            columns.append(odds / odds.sum(axis=1, keepdims=True))
            start += len(values)
        return np.concatenate(columns, axis=1)


def _colour_grid(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(B, H, W, 3) pixels to (B, 49): mean colours in [-1, 1] and a one, so that no photo maps to zero."""
    rows = np.array_split(pixels, GRID, axis=1)
    cells = [cell.mean(axis=(1, 2)) for row in rows for cell in np.array_split(row, GRID, axis=2)]  # 16 x (B, 3)
    ones = np.ones((len(pixels), 1))
    return np.concatenate([*(cell / 127.5 - 1 for cell in cells), ones], axis=1).astype(np.float32)
