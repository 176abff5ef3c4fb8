"""Queries are strangers to what is searched; grown vectors lie where the originals lie."""

import numpy as np
import pytest

from lookalike.errors import VectorIndexError
from lookalike.selection.growth import grow, prepare
from lookalike.selection.sources import Source
from tests.selection.shop import clustered

VECTORS = clustered(200)


def source(photos_each: int = 2) -> Source:
    products = np.array([f"p{row // photos_each}" for row in range(len(VECTORS))], dtype=object)
    return Source(VECTORS, products, np.arange(len(VECTORS), dtype=np.int32)[:, None])


def rows(vectors: np.ndarray) -> list[int]:
    """Which of VECTORS these are, by the code that each has for itself."""
    return [int(np.flatnonzero((vector == VECTORS).all(axis=1))[0]) for vector in vectors]


def test_no_photo_of_a_query_s_product_is_searched() -> None:
    study = prepare(source(), products=100, queries=7, seed=0)
    asked, searched = rows(study.queries), rows(study.vectors)
    assert len(asked) == 7
    assert len(searched) == 200 - 14
    assert not {row // 2 for row in asked} & {row // 2 for row in searched}


def test_labels_follow_their_photos() -> None:
    study = prepare(source(), products=30, queries=7, seed=0)
    assert study.labels is not None
    assert study.labels.queries[:, 0].tolist() == rows(study.queries)
    assert study.labels.gallery[:, 0].tolist() == rows(study.vectors)
    assert len(study.vectors) == 60
    assert "186 photos 60 were sampled" in study.how


def test_the_seed_decides() -> None:
    first, again, other = (prepare(source(), 30, 7, seed) for seed in (0, 0, 1))
    assert np.array_equal(first.vectors, again.vectors)
    assert not np.array_equal(first.queries, other.queries)


def test_grown_vectors_follow_the_originals_and_lie_among_them() -> None:
    grown = grow(VECTORS, 1_000, seed=0)
    assert grown.shape == (1_000, 32)
    assert np.array_equal(grown[:200], VECTORS)
    np.testing.assert_allclose(np.linalg.norm(grown, axis=1), 1, atol=1e-5)
    nearest_original = (grown[200:] @ VECTORS.T).max(axis=1)
    between_originals = np.sort(VECTORS @ VECTORS.T, axis=1)[:, -9]  # each original's eighth neighbour
    assert nearest_original.min() > between_originals.min()
    assert len(np.unique(grown, axis=0)) == 1_000


def test_a_grown_study_has_no_labels_and_says_how_it_was_made() -> None:
    study = prepare(source(), products=1_000, queries=7, seed=0)
    assert study.labels is None
    assert len(study.vectors) == 2_000, "as many photos a product as there were"
    assert "grown to 2,000" in study.how


def test_too_few_products_to_hold_any_out_are_refused() -> None:
    few = Source(VECTORS[:9], np.arange(9).astype(str).astype(object), None)
    with pytest.raises(VectorIndexError, match="9 products"):
        prepare(few, 9, 5, 0)
