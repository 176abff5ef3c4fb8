"""Projections and codes keep what they are made to keep."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.index.faiss_settings import BinarySettings
from lookalike.index.principal_axes import along, principal_axes
from lookalike.index.sign_axes import sign_axes
from tests.index.shop import random_gallery

D = 16
BITS = BinarySettings(bits=32)


def stretched(count: int = 400) -> NDArray[np.float32]:
    """Unit vectors that differ much along few directions."""
    vectors = random_gallery(count, D).vectors * np.geomspace(8, 0.1, D, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_all_axes_keep_every_inner_product_and_fewer_keep_more_than_any_coordinates() -> None:
    vectors = np.roll(stretched(), 5, axis=1)
    whole = vectors @ vectors.T
    every = along(principal_axes(vectors, D), vectors)
    np.testing.assert_allclose(every @ every.T, whole, atol=1e-5)
    few = along(principal_axes(vectors, 4), vectors)
    best_columns = vectors[:, np.argsort(-(vectors**2).sum(axis=0))[:4]]
    assert np.square(few @ few.T - whole).sum() <= np.square(best_columns @ best_columns.T - whole).sum()


def test_more_axes_than_dimensions_are_refused() -> None:
    with pytest.raises(VectorIndexError, match="axes is 17"):
        principal_axes(stretched(), 17)


def test_a_learned_rotation_loses_less_by_taking_signs_than_a_random_one() -> None:
    vectors = np.tile(stretched(), (1, 4)) / 2  # (N, 64) of rank 16
    centred = vectors - vectors.mean(axis=0)

    def lost(rotation: str) -> float:
        """Share of the projection's energy that its signs, at the best scale, do not explain."""
        axes = sign_axes(vectors, BITS.model_copy(update={"rotation": rotation}), seed=0)[:-1]
        projected = centred @ axes  # (N, bits)
        return float(1 - np.abs(projected).mean() ** 2 / np.square(projected).mean())

    assert lost("learned") < lost("random")


def test_learned_axes_are_orthonormal_and_centre_the_vectors() -> None:
    vectors = np.hstack([stretched(), np.full((400, D), 0.5, dtype=np.float32)])  # (N, 32)
    turned = sign_axes(vectors, BITS.model_copy(update={"rotation": "learned"}), seed=0)
    np.testing.assert_allclose(turned[:-1].T @ turned[:-1], np.eye(32), atol=1e-5)
    np.testing.assert_allclose((vectors @ turned[:-1] + turned[-1]).mean(axis=0), 0, atol=1e-5)


@pytest.mark.parametrize("rotation", ["learned", "none"])
def test_codes_longer_than_the_rotation_can_make_are_refused(rotation: str) -> None:
    with pytest.raises(VectorIndexError, match="bits is 32"):
        sign_axes(stretched(), BITS.model_copy(update={"rotation": rotation}), seed=0)
