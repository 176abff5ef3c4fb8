"""What every embedder must do; each room runs these on its own kind."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.embedders.protocol import Embedder
from lookalike.errors import QueryError


class EmbedderContract:
    """Subclasses give an `embedder` fixture that takes at most 8 photos in one call to its model."""

    @pytest.fixture
    def pixels(self, embedder: Embedder) -> NDArray[np.uint8]:
        """(20, H, W, 3): more than two full batches and a rest."""
        size = embedder.identity.preprocessing
        random = np.random.default_rng(3)
        return random.integers(0, 256, (20, size.height, size.width, 3), dtype=np.uint8)

    def test_vectors_have_unit_length_and_the_identity_s_dimension(
        self, embedder: Embedder, pixels: NDArray[np.uint8]
    ) -> None:
        vectors = embedder.embed(pixels).vectors
        assert vectors.shape == (20, embedder.identity.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_every_attribute_is_a_distribution_over_its_labels(
        self, embedder: Embedder, pixels: NDArray[np.uint8]
    ) -> None:
        attributes = embedder.embed(pixels).attributes
        labels = embedder.identity.attribute_labels
        assert list(attributes) == list(labels)
        for name, probabilities in attributes.items():
            assert probabilities.shape == (20, len(labels[name]))
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
            assert probabilities.min() >= 0

    @pytest.mark.parametrize("size", [1, 2, 7, 8, 9])
    def test_a_photo_gets_the_same_answer_in_any_company(
        self, embedder: Embedder, pixels: NDArray[np.uint8], size: int
    ) -> None:
        whole = embedder.embed(pixels)
        part = embedder.embed(pixels[:size])
        np.testing.assert_allclose(part.vectors, whole.vectors[:size], atol=1e-5)
        for name, probabilities in part.attributes.items():
            np.testing.assert_allclose(probabilities, whole.attributes[name][:size], atol=1e-5)

    def test_different_photos_get_different_vectors(self, embedder: Embedder, pixels: NDArray[np.uint8]) -> None:
        bright = embedder.embed(pixels // 4 + 190).vectors
        dark = embedder.embed(pixels // 4).vectors
        assert (bright * dark).sum(axis=1).max() < 0.999

    def test_threads_do_not_disturb_one_another(self, embedder: Embedder, pixels: NDArray[np.uint8]) -> None:
        expected = embedder.embed(pixels).vectors
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(lambda row: embedder.embed(pixels[row : row + 1]).vectors[0], range(20))
        np.testing.assert_allclose(np.stack(list(answers)), expected, atol=1e-5)

    def test_pixels_that_are_not_contiguous_are_read_right(self, embedder: Embedder, pixels: NDArray[np.uint8]) -> None:
        mirrored = pixels[:2, :, ::-1]
        np.testing.assert_array_equal(
            embedder.embed(mirrored).vectors, embedder.embed(np.ascontiguousarray(mirrored)).vectors
        )

    def test_wrong_pixels_are_refused_with_the_accepted_shape(
        self, embedder: Embedder, pixels: NDArray[np.uint8]
    ) -> None:
        size = embedder.identity.preprocessing
        wrong = [pixels[0], pixels[:0], pixels[:, 1:], pixels[..., :1], pixels.astype(np.float32)]
        for value in wrong:
            with pytest.raises(QueryError, match=rf"uint8 of shape \(B >= 1, \({size.height}, {size.width}, 3\)\)"):
                embedder.embed(value)
