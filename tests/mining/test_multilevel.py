"""Facts about triplets mined across levels, each checked against the products themselves."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from numpy.typing import NDArray

from lookalike.errors import MiningError
from lookalike.mining import multilevel
from lookalike.mining.multilevel import mine_by_levels
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import MinedTriplets, Triplets
from tests.mining.naive import SETTINGS, Small, naive_level, random_catalogue, small_catalogues, steadily


def mined(shop: Small, duplicates: NDArray | None = None, **settings: object) -> MinedTriplets:
    chosen = MiningSettings.model_validate({"triplets_per_anchor": 12, **settings})
    none = np.full(len(shop.codes), -1)
    return mine_by_levels(shop.labels(chosen), none if duplicates is None else duplicates, chosen)


def one_vertical(codes: list[list[int]]) -> Small:
    return Small(np.zeros(len(codes), np.int32), np.array(codes, np.int32), np.ones(len(codes[0]), np.float32))


def assert_levels_are_true(triplets: Triplets, shop: Small, chosen: MiningSettings) -> None:
    for a, p, n, high, low in zip(*vars(triplets).values(), strict=True):
        assert a not in (p, n)
        assert high == naive_level(shop, chosen, a, p)
        assert low == naive_level(shop, chosen, a, n)
        assert high > low >= 0


def naive_candidates(shop: Small, duplicates: NDArray, chosen: MiningSettings, anchor: int) -> dict[int, set[int]]:
    """By level, who may be drawn for the anchor."""
    by_level: dict[int, set[int]] = {}
    for other in range(len(shop.codes)):
        copy = duplicates[anchor] >= 0 and duplicates[anchor] == duplicates[other]
        if other != anchor and not copy:
            by_level.setdefault(naive_level(shop, chosen, anchor, other), set()).add(other)
    return by_level


@steadily
@given(small_catalogues(least=4), SETTINGS)
def test_stated_levels_are_the_true_levels_and_the_positive_is_higher(shop: Small, chosen: MiningSettings) -> None:
    for enumerate_up_to in (10**9, 0):
        try:
            triplets = mined(shop, **chosen.model_dump(exclude={"enumerate_up_to"}), enumerate_up_to=enumerate_up_to)
        except MiningError:
            assume(False)
        assert_levels_are_true(triplets.triplets, shop, chosen)


def test_an_anchor_gets_its_full_number_from_exactly_the_candidates_a_naive_loop_finds() -> None:
    shop, none, chosen = random_catalogue(40, 0), np.full(40, -1), MiningSettings()
    triplets = mined(shop, triplets_per_anchor=600).triplets
    for anchor in range(40):
        expected = naive_candidates(shop, none, chosen, anchor)
        levels = sorted(set(expected) - {-1})
        ours = triplets.take(triplets.anchor == anchor)
        assert len(ours) == (600 if len(levels) > 1 else 0)
        for level in levels[1:]:
            assert set(ours.positive[ours.positive_level == level]) == expected[level]
        for level in levels[:-1]:
            assert set(ours.negative[ours.negative_level == level]) == expected[level]


@pytest.mark.parametrize("enumerate_up_to", [10**9, 0])
def test_near_duplicates_of_the_anchor_are_never_drawn(enumerate_up_to: int) -> None:
    groups = np.array([i // 4 if i < 40 else -1 for i in range(90)])
    triplets = mined(random_catalogue(90, 0), duplicates=groups, enumerate_up_to=enumerate_up_to).triplets
    own = groups[triplets.anchor]
    assert (own >= 0).sum() > 100
    for others in (triplets.positive, triplets.negative):
        assert not ((own >= 0) & (groups[others] == own)).any()


def test_an_anchor_whose_only_candidate_is_its_duplicate_gets_no_triplet() -> None:
    duplicates = np.array([5, 5, -1, -1])  # the first two are one photo listed twice
    triplets = mined(one_vertical([[0, 0], [0, 0], [1, 1], [1, 1]]), duplicates).triplets
    assert set(triplets.anchor.tolist()) == {2, 3}


def test_candidates_of_a_level_are_drawn_uniformly() -> None:
    shop = one_vertical([[0, 0]] * 3 + [[0, 1]] * 6 + [[1, 1]] * 4)
    triplets = mined(shop, triplets_per_anchor=1000, boundaries=(0.5, 1.0)).triplets
    of_first = triplets.take((triplets.anchor == 0) & (triplets.positive_level == 1))
    seen = Counter(of_first.positive.tolist())
    expected = len(of_first) / 6
    assert sorted(seen) == [3, 4, 5, 6, 7, 8]
    assert all(abs(count - expected) < 5 * expected**0.5 for count in seen.values())


def test_wider_gaps_are_rarer_by_the_stated_decay() -> None:
    shop = one_vertical([[0, 0], [0, 0], [0, 1], [1, 1]])
    triplets = mined(shop, triplets_per_anchor=1000, boundaries=(0.5, 1.0), gap_decay=0.25).triplets
    pairs = Counter(zip(triplets.positive_level.tolist(), triplets.negative_level.tolist(), strict=True))
    first = triplets.take(triplets.anchor == 0)
    wide = np.mean(first.positive_level - first.negative_level == 2)
    assert set(pairs) == {(2, 1), (2, 0), (1, 0)}
    assert wide == pytest.approx(0.25 / 2.25, abs=0.04)


def test_levels_are_drawn_by_their_weights_and_never_at_weight_zero() -> None:
    shop = one_vertical([[0, 0], [0, 0], [0, 1], [1, 1]])
    settings = {"boundaries": (0.5, 1.0), "gap_decay": 1.0, "positive_weights": {2: 3.0}, "negative_weights": {0: 0}}
    triplets = mined(shop, triplets_per_anchor=1000, **settings).triplets
    assert set(triplets.negative_level.tolist()) == {1}
    triplets = mined(shop, triplets_per_anchor=1000, **settings | {"negative_weights": {}}).triplets
    of_first = triplets.take(triplets.anchor == 0)
    assert np.mean(of_first.positive_level == 2) == pytest.approx(6 / 7, abs=0.05)  # (2,1) and (2,0) at 3, (1,0) at 1


def test_the_seed_decides_every_draw() -> None:
    shop = random_catalogue(60, 3)
    first, second, other = (mined(shop, seed=seed).triplets for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.negative, second.negative)
    assert first.negative.tolist() != other.negative.tolist()


def test_small_chunks_hold_the_same_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = random_catalogue(70, 2)
    at_once = mined(shop)
    monkeypatch.setattr(multilevel, "CELLS_PER_CHUNK", 200)
    chunked = mined(shop)
    np.testing.assert_array_equal(at_once.pairs_per_level, chunked.pairs_per_level)
    np.testing.assert_array_equal(at_once.triplets.anchor, chunked.triplets.anchor)
    assert_levels_are_true(chunked.triplets, shop, MiningSettings())


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        ([[-1, -1]] * 4, "all attributes of all 4 products are unknown"),
        ([[0, 1]] * 4, "all 4 products have the same vertical and attributes"),
        ([[0, -1], [-1, 1]], "no product has candidates at two levels"),
    ],
)
def test_a_catalogue_without_order_is_refused_in_words(codes: list[list[int]], sentence: str) -> None:
    with pytest.raises(MiningError, match=sentence):
        mined(one_vertical(codes))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"across_level": 5}, "4 boundaries make levels 0 to 4"),
        ({"margin_steps": (0.1, 0.2)}, "must be 4 margins above 0"),
        ({"positive_weights": {0: 1.0}}, "must weigh levels 1 to 4"),
        ({"negative_weights": {0: 0, 1: 0, 2: 0, 3: 0}}, "leave no level to draw from"),
    ],
)
def test_settings_that_contradict_the_levels_are_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        MiningSettings.model_validate(settings)
