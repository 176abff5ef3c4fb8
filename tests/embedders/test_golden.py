import hashlib

import numpy as np
import pytest

from lookalike.catalog.images import Preprocessing
from lookalike.embedders.golden import Golden, check_golden, golden_pixels
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.embedders.tensors import answer
from lookalike.errors import LookalikeError, ReleaseMismatch

PREPROCESSING = Preprocessing(height=24, width=16)


def golden_of(embedder: MemoryEmbedder) -> Golden:
    vectors = embedder.embed(golden_pixels(embedder.identity.preprocessing)).vectors
    return Golden(fingerprint=embedder.identity.fingerprint, vectors=vectors.tolist())


class Disguised:
    """One model's vectors under another's identity: what a silent swap looks like."""

    def __init__(self, model: MemoryEmbedder, identity: ModelIdentity) -> None:
        self.model = model
        self.identity = identity

    def embed(self, pixels: np.ndarray) -> Embeddings:
        return self.model.embed(pixels)


def test_golden_photos_are_the_same_bytes_forever() -> None:
    pixels = golden_pixels(PREPROCESSING)
    assert pixels.shape == (3, 24, 16, 3)
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == "84513b4e9e6188ea"


def test_the_right_model_passes() -> None:
    embedder = MemoryEmbedder(PREPROCESSING)
    assert check_golden(embedder, golden_of(embedder), "the model") == pytest.approx(1, abs=1e-6)


def test_another_model_of_the_same_size_is_refused() -> None:
    right, other = MemoryEmbedder(PREPROCESSING, seed=0), MemoryEmbedder(PREPROCESSING, seed=1)
    with pytest.raises(ReleaseMismatch, match="belongs to model"):
        check_golden(other, golden_of(right), "the model")
    with pytest.raises(ReleaseMismatch, match="the model answers the golden photos with cosine"):
        check_golden(Disguised(other, right.identity), golden_of(right), "the model")


def test_swapped_colour_channels_are_noticed() -> None:
    right = MemoryEmbedder(PREPROCESSING)

    class Swapped(Disguised):
        def embed(self, pixels: np.ndarray) -> Embeddings:
            return self.model.embed(pixels[..., ::-1])

    with pytest.raises(ReleaseMismatch):
        check_golden(Swapped(right, right.identity), golden_of(right), "the model")


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_vectors_that_are_no_directions_are_refused(value: float) -> None:
    identity = MemoryEmbedder(PREPROCESSING, dimension=4).identity
    with pytest.raises(LookalikeError, match="expected unit length"):
        answer(np.full((2, 4), value, dtype=np.float32), None, identity, 2)


def test_empty_tensors_are_refused() -> None:
    identity = MemoryEmbedder(PREPROCESSING, dimension=4).identity
    with pytest.raises(LookalikeError, match=r"answered with shapes \(0, 4\)"):
        answer(np.empty((0, 4), dtype=np.float32), None, identity, 2)
