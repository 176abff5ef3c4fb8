import numpy as np
import pytest

from lookalike.catalog.images import Preprocessing
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.protocol import Embedder
from tests.embedders.contract import EmbedderContract

PREPROCESSING = Preprocessing(height=10, width=7)  # neither divides into the grid evenly


class TestContract(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return MemoryEmbedder(PREPROCESSING, 8, {"type": ["boot", "bag"], "colour": ["red", "blue", "black"]})


def test_without_labels_there_are_no_attributes() -> None:
    embedder = MemoryEmbedder(PREPROCESSING)
    assert embedder.embed(np.zeros((2, 10, 7, 3), dtype=np.uint8)).attributes == {}


def test_another_seed_is_another_model_with_another_space() -> None:
    one, two = MemoryEmbedder(PREPROCESSING, seed=1), MemoryEmbedder(PREPROCESSING, seed=2)
    pixels = np.full((1, 10, 7, 3), 200, dtype=np.uint8)
    assert one.identity.fingerprint != two.identity.fingerprint
    assert abs(float((one.embed(pixels).vectors * two.embed(pixels).vectors).sum())) < 0.9


def test_photos_of_like_colours_are_nearer_than_photos_of_unlike_ones() -> None:
    embedder = MemoryEmbedder(PREPROCESSING)
    red, dark_red, blue = (
        np.full((10, 7, 3), colour, dtype=np.uint8) for colour in ([220, 0, 0], [180, 0, 0], [0, 0, 220])
    )
    near, far = embedder.embed(np.stack([dark_red, blue])).vectors @ embedder.embed(red[None]).vectors[0]
    assert near > 0.95 > far
