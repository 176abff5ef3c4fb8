"""Triplets over one attribute: the positive shares the value, the negative has another, unknown is neither."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from lookalike.errors import MiningError
from lookalike.mining.settings import MiningSettings
from lookalike.mining.single_attribute import ValueBuckets, mine_by_attribute
from lookalike.mining.triplets import Triplets
from tests.mining.naive import Small, random_catalogue, small_catalogues, steadily


def mined(shop: Small, duplicates: np.ndarray | None = None, **settings: object) -> Triplets:
    chosen = MiningSettings.model_validate({"scheme": "single_attribute", "triplets_per_anchor": 12, **settings})
    none = np.full(len(shop.codes), -1)
    return mine_by_attribute(shop.labels(chosen), none if duplicates is None else duplicates, chosen)


def naive_buckets(codes: np.ndarray, anchor: int, attribute: int) -> tuple[set[int], set[int]]:
    """Who shares the anchor's value, and who is known to have another."""
    same, other = set(), set()
    for product in range(len(codes)):
        if product == anchor or codes[product, attribute] < 0 or codes[anchor, attribute] < 0:
            continue
        (same if codes[product, attribute] == codes[anchor, attribute] else other).add(product)
    return same, other


@steadily
@given(small_catalogues())
def test_some_attribute_tells_every_positive_from_its_negative(shop: Small) -> None:
    try:
        triplets = mined(shop)
    except MiningError:
        assert not any(all(naive_buckets(shop.codes, i, a)) for i in range(len(shop.codes)) for a in _weighing(shop))
        return
    assert set(zip(triplets.positive_level.tolist(), triplets.negative_level.tolist(), strict=True)) == {(1, 0)}
    for anchor, positive, negative in zip(triplets.anchor, triplets.positive, triplets.negative, strict=True):
        buckets = [naive_buckets(shop.codes, anchor, attribute) for attribute in _weighing(shop)]
        assert any(positive in same and negative in other for same, other in buckets)


def _weighing(shop: Small) -> list[int]:
    return np.flatnonzero(shop.weights > 0).tolist()


def test_everybody_of_a_value_may_be_drawn_and_nobody_else() -> None:
    shop = random_catalogue(30, 2, attributes=1)
    triplets = mined(shop, triplets_per_anchor=400)
    for anchor in range(30):
        same, other = naive_buckets(shop.codes, anchor, 0)
        ours = triplets.take(triplets.anchor == anchor)
        assert len(ours) == (400 if same and other else 0)
        if len(ours):
            assert (set(ours.positive), set(ours.negative)) == (same, other)


def test_attributes_are_drawn_by_their_weights() -> None:
    codes = np.array([[0, 0], [0, 0], [1, 1], [1, 1]], np.int32)
    anchors = ValueBuckets(codes).anchors(np.tile(np.float32([3, 1]), (4, 1)), 2000, np.random.default_rng(0))
    assert Counter(anchors.row.tolist())[0] / 8000 == pytest.approx(0.75, abs=0.02)


def test_near_duplicates_are_never_drawn() -> None:
    groups = np.array([i // 4 if i < 40 else -1 for i in range(90)])
    triplets = mined(random_catalogue(90, 1), groups)
    own = groups[triplets.anchor]
    assert not ((own >= 0) & ((groups[triplets.positive] == own) | (groups[triplets.negative] == own))).any()


def test_a_catalogue_where_no_value_is_shared_is_refused() -> None:
    shop = Small(np.zeros(3, np.int32), np.array([[0], [1], [2]], np.int32), np.ones(1, np.float32))
    with pytest.raises(MiningError, match="no attribute has a value that two products share"):
        mined(shop)
