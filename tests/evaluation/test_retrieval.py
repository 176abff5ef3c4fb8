"""Search is exact, answers are products, and the query's own item never answers for itself."""

import numpy as np
import pytest

from lookalike.errors import EvaluationError
from lookalike.evaluation.retrieval import Gallery, rank_products


def unit(rng: np.random.Generator, count: int, dimension: int = 8) -> np.ndarray:
    vectors = rng.standard_normal((count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def loop_ranking(query: np.ndarray, gallery: Gallery, k: int, left_out: int) -> list[tuple[int, float]]:
    best: dict[int, float] = {}
    for vector, product, item in zip(gallery.vectors, gallery.products, gallery.items, strict=True):
        if item != left_out:
            score = round(float(vector @ query), 6)
            best[int(product)] = max(score, best.get(int(product), -2.0))
    return sorted(best.items(), key=lambda entry: (-entry[1], entry[0]))[:k]


@pytest.mark.parametrize("k", [1, 5, 60])
def test_rankings_equal_a_loop_over_all_photos(k: int) -> None:
    rng = np.random.default_rng(0)
    products = np.sort(rng.integers(0, 40, 120))
    gallery = Gallery(unit(rng, 120), products, products // 3)
    queries, left_out = unit(rng, 25), rng.integers(0, 14, 25)
    ranking = rank_products(queries, gallery, k, left_out)
    for q in range(25):
        expected = loop_ranking(queries[q], gallery, k, left_out[q])
        places = len(expected)
        assert ranking.products[q, :places].tolist() == [product for product, _ in expected]
        assert ranking.scores[q, :places] == pytest.approx([score for _, score in expected], abs=2e-6)
        assert (ranking.products[q, places:] == -1).all()
        assert np.isnan(ranking.scores[q, places:]).all()


def test_ties_go_to_the_smaller_product_even_across_the_search_depth() -> None:
    vectors = np.tile(unit(np.random.default_rng(1), 1), (500, 1))
    products = np.arange(500)[::-1].copy()
    gallery = Gallery(vectors, products, products)
    ranking = rank_products(vectors[:2], gallery, 3, left_out=np.array([-1, 0]))
    assert ranking.products.tolist() == [[0, 1, 2], [1, 2, 3]]


def test_a_planted_copy_of_the_query_never_counts() -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng, 10)
    vectors[9] = vectors[0]  # product 9 repeats product 0's photo, a leak
    products = np.arange(10)
    known = Gallery(vectors, products, np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]))
    unknown = Gallery(vectors, products, products)
    assert rank_products(vectors[:1], unknown, 1, left_out=np.array([0])).products[0, 0] == 9
    assert not {0, 9} & set(rank_products(vectors[:1], known, 5, left_out=np.array([0])).products[0])


def test_without_leaving_out_a_photo_finds_its_own_product_first() -> None:
    rng = np.random.default_rng(3)
    vectors = unit(rng, 30)
    ranking = rank_products(vectors, Gallery(vectors, np.arange(30), np.arange(30)), 2)
    assert ranking.products[:, 0].tolist() == list(range(30))


def test_an_empty_gallery_and_other_dimensions_are_refused() -> None:
    none = np.empty(0, dtype=np.int64)
    with pytest.raises(EvaluationError, match="gallery is empty"):
        rank_products(np.zeros((1, 4), np.float32), Gallery(np.empty((0, 4), np.float32), none, none), 1)
    with pytest.raises(EvaluationError, match=r"shape \(1, 3\)"):
        rank_products(
            np.zeros((1, 3), np.float32), Gallery(np.zeros((2, 4), np.float32), np.arange(2), np.arange(2)), 1
        )
