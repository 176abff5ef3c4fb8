"""What every embedder offers, wherever the model runs: in PyTorch, in onnxruntime or in Triton."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.images import Preprocessing
from lookalike.errors import ReleaseMismatch
from lookalike.storage import digest_json


@dataclass(frozen=True)
class ModelIdentity:
    """What decides the vector space; two models with the same fingerprint give comparable vectors."""

    weights: str
    """SHA-256 over the weights."""
    preprocessing: Preprocessing
    """The pixels the model was trained on."""
    dimension: int
    """D, the embedding size."""
    attribute_labels: dict[str, list[str]]
    """Per attribute, the values in the order of its head's outputs; empty when heads were removed."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over weights, preprocessing, size and normalisation (always L2)."""
        return digest_json(
            {
                "weights": self.weights,
                "preprocessing": self.preprocessing.fingerprint,
                "dimension": self.dimension,
                "normalisation": "l2",
            }
        )

    def require(self, fingerprint: str, owner: str) -> None:
        """Raise ReleaseMismatch unless `owner` was made by this very model."""
        if fingerprint != self.fingerprint:
            raise ReleaseMismatch(
                f"{owner} belongs to model {fingerprint[:12]}, the serving model is {self.fingerprint[:12]}; "
                "their vectors cannot be compared"
            )


@dataclass(frozen=True)
class Embeddings:
    """An embedder's answer for B photos."""

    vectors: NDArray[np.float32]
    """(B, D), unit length."""
    attributes: dict[str, NDArray[np.float32]]
    """Per attribute (B, C): probabilities in the order of the identity's labels."""


class Embedder(Protocol):
    """Turns the pixels of `Preprocessing` into vectors and attribute probabilities."""

    @property
    def identity(self) -> ModelIdentity: ...

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """pixels: (B, H, W, 3) uint8, any B >= 1. Raises BackendUnavailable when the model does not answer."""
        ...
