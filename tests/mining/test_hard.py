"""Hard negatives are those an exhaustive search finds, and never what the guards forbid."""

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lookalike.mining.hard import hard_candidates, harden
from lookalike.mining.levels import levels_between
from lookalike.mining.neighbours import ProductIndex
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets
from tests.mining.naive import Small, naive_level, random_catalogue, steadily
from tests.mining.test_multilevel import mined

COUNT = 120


def drawn_vectors(count: int, seed: int, dimension: int = 6) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def naive_candidates(
    shop: Small, vectors: NDArray, groups: NDArray, chosen: MiningSettings, triplet: tuple[int, int, int, int]
) -> list[int]:
    """The definition: walk through the nearest products, keep those allowed, stop at enough."""
    anchor, positive, negative_level, _ = triplet
    similarity = vectors @ vectors[anchor]
    nearest = [other for other in np.argsort(-similarity).tolist() if other != anchor][: chosen.hard_depth]
    found: list[int] = []
    for other in nearest:
        copy = groups[other] >= 0 and groups[other] in (groups[anchor], groups[positive])
        too_near = similarity[other] >= chosen.hard_ceiling
        beyond = similarity[other] > similarity[positive] + chosen.hard_lead
        if naive_level(shop, chosen, anchor, other) == negative_level and not (copy or too_near or beyond):
            found.append(other)
    return found[: chosen.hard_nearest]


@settings(steadily, max_examples=15)
@given(
    st.integers(0, 5), st.sampled_from([4, 20, 200]), st.sampled_from([-0.1, 0.0, 0.3]), st.sampled_from([0.6, 0.95])
)
def test_hard_candidates_equal_a_naive_walk(seed: int, depth: int, lead: float, ceiling: float) -> None:
    shop, vectors = random_catalogue(COUNT, seed), drawn_vectors(COUNT, seed)
    groups = np.where(np.arange(COUNT) % 3 == 0, np.arange(COUNT) // 9, -1)
    chosen = MiningSettings(hard_depth=depth, hard_lead=lead, hard_ceiling=ceiling, hard_nearest=5)
    asked = mined(shop, groups, triplets_per_anchor=1).triplets
    anchors, row = np.unique(asked.anchor, return_inverse=True)
    near = ProductIndex(vectors).nearest(anchors, depth)
    found = hard_candidates(asked, row, near, shop.labels(chosen), vectors, groups, chosen)
    for t, candidates in enumerate(found):
        triplet = (asked.anchor[t], asked.positive[t], asked.negative_level[t], 0)
        expected = naive_candidates(shop, vectors, groups, chosen, triplet)
        assert candidates.tolist() == expected + [-1] * (5 - len(expected))


def hardened(chosen: MiningSettings, seed: int = 0) -> tuple[Triplets, Triplets, int, NDArray[np.float32]]:
    shop, vectors = random_catalogue(COUNT, seed), drawn_vectors(COUNT, seed)
    before = mined(shop).triplets
    after, count = harden(before, shop.labels(chosen), vectors, np.full(COUNT, -1), chosen)
    return before, after, count, vectors


def test_only_negatives_change_and_only_for_others_of_their_level() -> None:
    chosen = MiningSettings(hard_share=1.0, hard_depth=60)
    before, after, count, vectors = hardened(chosen)
    labels = random_catalogue(COUNT, 0).labels(chosen)
    for name in ("anchor", "positive", "positive_level", "negative_level"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    levels = levels_between(labels.take(after.anchor), labels.take(after.negative), chosen)
    np.testing.assert_array_equal(levels, after.negative_level)
    changed = after.negative != before.negative
    assert 0.3 * len(before) < changed.sum() <= count
    similarity = (vectors[after.anchor] * vectors[after.negative]).sum(axis=1)
    easy = (vectors[before.anchor] * vectors[before.negative]).sum(axis=1)
    assert similarity[changed].mean() > easy[changed].mean() + 0.15
    reach = (vectors[after.anchor] * vectors[after.positive]).sum(axis=1) + chosen.hard_lead
    assert (similarity[changed] <= reach[changed] + 1e-6).all()
    assert (similarity[changed] < chosen.hard_ceiling).all()


def test_the_share_of_hard_negatives_is_the_one_asked_for() -> None:
    everything = {"hard_depth": COUNT, "hard_lead": 2.0, "hard_ceiling": 1.0}
    before, _, count, _ = hardened(MiningSettings(hard_share=0.25, **everything))
    assert count / len(before) == pytest.approx(0.25, abs=0.04)
    before, after, count, _ = hardened(MiningSettings(hard_share=0, **everything))
    assert count == 0
    np.testing.assert_array_equal(after.negative, before.negative)


def test_the_same_seed_gives_the_same_hard_negatives_on_any_number_of_threads() -> None:
    threads = faiss.omp_get_max_threads()
    found = []
    for number in (1, 3):
        faiss.omp_set_num_threads(number)
        found.append(hardened(MiningSettings(hard_share=0.5))[1].negative)
    faiss.omp_set_num_threads(threads)
    np.testing.assert_array_equal(*found)


def test_an_inverted_file_finds_nearly_what_an_exhaustive_search_finds() -> None:
    vectors, anchors = drawn_vectors(5000, 1, dimension=16), np.arange(0, 5000, 10)
    exact, likely = (ProductIndex(vectors, exact=exact).nearest(anchors, 10).products for exact in (True, False))
    overlap = np.mean([len(set(ours) & set(theirs)) / 11 for ours, theirs in zip(exact, likely, strict=True)])
    assert overlap > 0.9
