"""Every metric equals its definition written as a plain loop."""

import math

import numpy as np
import pytest

from lookalike.errors import EvaluationError
from lookalike.evaluation import metrics

Q, K, N, A = 40, 6, 30, 3


@pytest.fixture(scope="module")
def codes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(Q, A) queries, (N, A) gallery and (Q, K) ranked gallery rows, -1 at the end of some."""
    rng = np.random.default_rng(1)
    query = rng.integers(-1, 3, (Q, A)).astype(np.int32)
    gallery = rng.integers(-1, 3, (N, A)).astype(np.int32)
    ranked = np.stack([rng.permutation(N)[:K] for _ in range(Q)])
    ranked[::7, -2:] = -1
    return query, gallery, ranked


def ranked_codes(gallery: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    return np.where(ranked[:, :, None] >= 0, gallery[ranked], -1)


def loop_match(query: np.ndarray, other: np.ndarray) -> float:
    if any(value < 0 for value in query):
        return math.nan
    return float(all(a == b and b >= 0 for a, b in zip(query, other, strict=True)))


def loop_share(query: np.ndarray, other: np.ndarray) -> float:
    known = [a for a in range(len(query)) if query[a] >= 0]
    return sum(query[a] == other[a] for a in known) / len(known) if known else math.nan


@pytest.mark.parametrize("k", [1, 4, K])
def test_precision_and_hit_equal_a_loop_over_ranks(codes: tuple, k: int) -> None:
    query, gallery, ranked = codes
    matches = metrics.all_match(query[:, :2], ranked_codes(gallery, ranked)[:, :, :2])
    precision, hit = metrics.precision_at_k(matches, k), metrics.hit_at_k(matches, k)
    for q in range(Q):
        found = [loop_match(query[q, :2], gallery[r, :2]) if r >= 0 else 0.0 for r in ranked[q, :k]]
        found = [math.nan if (query[q, :2] < 0).any() else value for value in found]
        assert precision[q] == pytest.approx(sum(found) / k, nan_ok=True)
        assert hit[q] == pytest.approx(max(found), nan_ok=True)


def test_queries_with_an_unknown_attribute_are_skipped_and_an_unknown_result_never_matches() -> None:
    query = np.array([[0, -1], [0, 1]], dtype=np.int32)
    ranked = np.array([[[0, -1]], [[0, -1]]], dtype=np.int32)
    matches = metrics.all_match(query, ranked)
    assert np.isnan(matches[0, 0])
    assert matches[1, 0] == 0


@pytest.mark.parametrize("k", [1, 3, K])
def test_ndcg_equals_a_loop_with_the_ideal_taken_from_the_gallery(codes: tuple, k: int) -> None:
    query, gallery, ranked = codes
    labels = np.arange(N) // 2  # two listings per item
    left_out = np.arange(Q) % (N // 2)
    gains = metrics.share_matched(query, ranked_codes(gallery, ranked))
    ideal = metrics.ideal_gains(query, gallery, K, left_out, labels)
    found = metrics.ndcg_at_k(gains, ideal, k)
    for q in range(Q):
        others = [loop_share(query[q], gallery[n]) for n in range(N) if labels[n] != left_out[q]]
        best = sorted(others, reverse=True)[:k]
        mine = [loop_share(query[q], gallery[r]) if r >= 0 else 0.0 for r in ranked[q, :k]]
        top = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(mine))
        bottom = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(best))
        expected = top / bottom if bottom > 0 else math.nan
        assert found[q] == pytest.approx(expected, nan_ok=True)


def test_a_perfect_ranking_has_ndcg_one() -> None:
    query = np.array([[0, 1, 2]], dtype=np.int32)
    gallery = np.array([[0, 1, 2], [0, 1, 0], [0, 0, 0], [1, 0, 0]], dtype=np.int32)
    ideal = metrics.ideal_gains(query, gallery, 4, np.array([-1]), np.arange(4))
    gains = metrics.share_matched(query, gallery[None])
    assert metrics.ndcg_at_k(gains, ideal, 4)[0] == pytest.approx(1.0)
    assert metrics.ndcg_at_k(gains[:, ::-1], ideal, 4)[0] < 1.0


@pytest.mark.parametrize("k", [1, 4, K])
def test_recall_and_reciprocal_rank_equal_a_loop(codes: tuple, k: int) -> None:
    _, _, ranked = codes
    own = np.array([ranked[q, q % K] if q % 3 else N + 1 for q in range(Q)])
    recall = metrics.known_item_recall_at_k(own, ranked, k)
    rank = metrics.reciprocal_rank_at_k(own, ranked, k)
    for q in range(Q):
        places = [place for place in range(k) if ranked[q, place] == own[q]]
        assert recall[q] == float(bool(places))
        assert rank[q] == (1 / (places[0] + 1) if places else 0.0)


def test_a_depth_beyond_the_ranking_is_refused_with_what_is_accepted() -> None:
    with pytest.raises(EvaluationError, match=r"k is 7; the ranking holds 3 places"):
        metrics.precision_at_k(np.zeros((2, 3)), 7)
