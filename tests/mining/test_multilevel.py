"""Facts about mined triplets, each checked against the products themselves."""

from collections import Counter

import numpy as np
import pytest

from lookalike.errors import MiningError
from lookalike.mining import multilevel
from lookalike.mining.multilevel import MinedTriplets, mine_by_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets
from tests.mining.test_levels import BOUNDARIES, labelled, naive_level, random_products

ONES = np.ones(4, np.float32)


def mine_triplets(
    verticals: np.ndarray, codes: np.ndarray, duplicates: np.ndarray, settings: MiningSettings
) -> MinedTriplets:
    return mine_by_levels(labelled(verticals, codes), duplicates, settings)


def mined(count: int, seed: int = 0, duplicates: np.ndarray | None = None, **settings: object) -> Triplets:
    verticals, codes = random_products(count, seed)
    none = np.full(count, -1)
    chosen = MiningSettings.model_validate({"triplets_per_anchor": 12, **settings})
    return mine_triplets(verticals, codes, none if duplicates is None else duplicates, chosen).triplets


def test_stated_levels_are_the_true_levels_and_the_positive_is_higher() -> None:
    verticals, codes = random_products(90, 0)
    triplets = mined(90)
    for a, p, n, high, low in zip(*vars(triplets).values(), strict=True):
        assert a not in (p, n)
        assert high == naive_level(verticals, codes, ONES, BOUNDARIES, a, p)
        assert low == naive_level(verticals, codes, ONES, BOUNDARIES, a, n)
        assert high > low >= 0


def test_every_anchor_with_candidates_at_two_levels_gets_its_full_number() -> None:
    verticals, codes = random_products(90, 0)
    drawn = Counter(mined(90).anchor.tolist())
    for anchor in range(90):
        levels = {naive_level(verticals, codes, ONES, BOUNDARIES, anchor, j) for j in range(90) if j != anchor}
        assert drawn[anchor] == (12 if len(levels - {-1}) > 1 else 0)


def test_near_duplicates_of_the_anchor_are_never_drawn() -> None:
    groups = np.array([i // 4 if i < 40 else -1 for i in range(90)])
    triplets = mined(90, duplicates=groups)
    own = groups[triplets.anchor]
    assert (own >= 0).sum() > 100
    for others in (triplets.positive, triplets.negative):
        assert not ((own >= 0) & (groups[others] == own)).any()


def test_an_anchor_whose_only_candidate_is_its_duplicate_gets_no_triplet() -> None:
    codes = np.array([[0, 0], [0, 0], [1, 1], [1, 1]], np.int32)
    duplicates = np.array([5, 5, -1, -1])  # the first two are one photo listed twice
    triplets = mine_triplets(np.zeros(4, np.int32), codes, duplicates, MiningSettings()).triplets
    assert set(triplets.anchor.tolist()) == {2, 3}


def test_candidates_of_a_level_are_drawn_uniformly() -> None:
    codes = np.array([[0, 0]] * 3 + [[0, 1]] * 6 + [[1, 1]] * 4, np.int32)
    settings = MiningSettings(triplets_per_anchor=1000, boundaries=(0.5, 1.0))
    triplets = mine_triplets(np.zeros(13, np.int32), codes, np.full(13, -1), settings).triplets
    of_first = triplets.take((triplets.anchor == 0) & (triplets.positive_level == 1))
    seen = Counter(of_first.positive.tolist())
    expected = len(of_first) / 6
    assert sorted(seen) == [3, 4, 5, 6, 7, 8]
    assert all(abs(count - expected) < 5 * expected**0.5 for count in seen.values())


def test_wider_gaps_are_rarer_by_the_stated_decay() -> None:
    codes = np.array([[0, 0], [0, 0], [0, 1], [1, 1]], np.int32)
    settings = MiningSettings(triplets_per_anchor=1000, boundaries=(0.5, 1.0), gap_decay=0.25)
    triplets = mine_triplets(np.zeros(4, np.int32), codes, np.full(4, -1), settings).triplets
    pairs = Counter(zip(triplets.positive_level.tolist(), triplets.negative_level.tolist(), strict=True))
    first = triplets.take(triplets.anchor == 0)
    wide = np.mean(first.positive_level - first.negative_level == 2)
    assert set(pairs) == {(2, 1), (2, 0), (1, 0)}
    assert wide == pytest.approx(0.25 / 2.25, abs=0.04)


def test_the_seed_decides_every_draw() -> None:
    first, second, other = mined(60, seed=3), mined(60, seed=3), mined(60, seed=4)
    np.testing.assert_array_equal(first.negative, second.negative)
    assert first.negative.tolist() != other.negative.tolist()


def test_small_chunks_hold_the_same_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    verticals, codes = random_products(70, 2)
    settings, none = MiningSettings(), np.full(70, -1)
    at_once = mine_triplets(verticals, codes, none, settings)
    monkeypatch.setattr(multilevel, "CELLS_PER_CHUNK", 200)
    chunked = mine_triplets(verticals, codes, none, settings)
    np.testing.assert_array_equal(at_once.pairs_per_level, chunked.pairs_per_level)
    np.testing.assert_array_equal(at_once.triplets.anchor, chunked.triplets.anchor)
    for a, n, low in zip(
        chunked.triplets.anchor, chunked.triplets.negative, chunked.triplets.negative_level, strict=True
    ):
        assert low == naive_level(verticals, codes, ONES, BOUNDARIES, a, n)


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        ([[-1, -1]] * 4, "all attributes of all 4 products are unknown"),
        ([[0, 1]] * 4, "all 4 products have the same vertical and attributes"),
        ([[0, -1], [-1, 1]], "no product has candidates at two levels"),
    ],
)
def test_a_catalogue_without_order_is_refused_in_words(codes: list[list[int]], sentence: str) -> None:
    verticals = np.zeros(len(codes), np.int32)
    with pytest.raises(MiningError, match=sentence):
        mine_triplets(verticals, np.array(codes, np.int32), np.full(len(codes), -1), MiningSettings())
