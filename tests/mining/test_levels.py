"""Levels agree with counting attributes one pair at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lookalike.errors import MiningError
from lookalike.mining.labels import attribute_weights, information
from lookalike.mining.levels import (
    UNDEFINED,
    Signatures,
    group_signatures,
    levels_between,
    pair_levels,
    pairs_per_level,
)
from lookalike.mining.settings import MiningSettings
from tests.mining.naive import SETTINGS, Small, naive_level, random_catalogue, small_catalogues, steadily


def all_levels(shop: Small, chosen: MiningSettings) -> NDArray[np.int8]:
    """(N, N)."""
    labels, everyone = shop.labels(chosen), np.arange(len(shop.codes))
    return levels_between(labels.take(everyone[:, None]), labels.take(everyone[None, :]), chosen)


def small(verticals: list[int], codes: list[list[int]]) -> Small:
    return Small(np.array(verticals, np.int32), np.array(codes, np.int32), np.ones(len(codes[0]), np.float32))


def whole(signatures: Signatures) -> slice:
    return slice(0, len(signatures))


@steadily
@given(small_catalogues(), SETTINGS)
def test_levels_equal_a_naive_loop(shop: Small, chosen: MiningSettings) -> None:
    everyone = range(len(shop.codes))
    expected = [[naive_level(shop, chosen, i, j) for j in everyone] for i in everyone]
    np.testing.assert_array_equal(all_levels(shop, chosen), expected)


@steadily
@given(small_catalogues(), SETTINGS)
def test_levels_by_signature_are_the_levels_of_the_products(shop: Small, chosen: MiningSettings) -> None:
    signatures = group_signatures(shop.labels(chosen))
    of = np.empty(len(shop.codes), int)
    of[signatures.members] = np.repeat(np.arange(len(signatures)), signatures.counts)
    levels = pair_levels(signatures, whole(signatures), chosen)
    np.testing.assert_array_equal(levels[of[:, None], of[None, :]], all_levels(shop, chosen))


@steadily
@given(small_catalogues(), SETTINGS)
def test_levels_do_not_depend_on_who_is_the_anchor(shop: Small, chosen: MiningSettings) -> None:
    levels = all_levels(shop, chosen.model_copy(update={"least_common": 0.0}))
    np.testing.assert_array_equal(levels, levels.T)


def test_a_pair_must_know_in_common_what_is_asked_of_the_anchors_attributes() -> None:
    shop, half = small([0, 0, 0], [[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, -1, -1]]), MiningSettings(least_common=0.5)
    np.testing.assert_array_equal(all_levels(shop, half)[0], [4, 4, UNDEFINED])
    np.testing.assert_array_equal(all_levels(shop, half)[2], [4, 4, 4])  # all that is known of the anchor


@steadily
@given(small_catalogues(), st.integers(0, 3))
def test_a_missing_attribute_is_neither_a_match_nor_a_mismatch(shop: Small, attribute: int) -> None:
    attribute %= shop.codes.shape[1]
    one_lacks_it, nobody_has_it = shop.codes.copy(), shop.codes.copy()
    one_lacks_it[0, attribute] = -1
    nobody_has_it[:, attribute] = -1
    levels, chosen = [], MiningSettings()
    for codes in (one_lacks_it, nobody_has_it):
        levels.append(all_levels(Small(shop.verticals, codes, shop.weights), chosen)[0])
    np.testing.assert_array_equal(*levels)


def test_a_product_of_another_vertical_is_at_level_zero_and_an_unknown_vertical_is_no_other_one() -> None:
    shop = small([-1, 0, 1], [[0, 0]] * 3)
    np.testing.assert_array_equal(all_levels(shop, MiningSettings()), [[4, 4, 4], [4, 4, 0], [4, 0, 4]])
    np.testing.assert_array_equal(all_levels(shop, MiningSettings(across_level=2)), [[4, 4, 4], [4, 4, 2], [4, 2, 4]])


def test_nothing_known_in_common_is_undefined_within_a_vertical() -> None:
    levels = all_levels(small([0, 0], [[-1, 1], [1, -1]]), MiningSettings())
    np.testing.assert_array_equal(levels, [[4, UNDEFINED], [UNDEFINED, 4]])


def test_agreeing_on_a_rare_value_reaches_a_higher_level_than_on_a_common_one() -> None:
    black, teal, lace, wool = 0, 1, 0, 1
    codes = [[black, lace], [black, wool], *[[black, lace]] * 5, *[[teal, lace], [teal, wool]]]
    shop, chosen = small([0] * 9, codes), MiningSettings(weighting="information", boundaries=(0.4, 1.0))
    levels = all_levels(shop, chosen)
    assert (levels[0, 1], levels[7, 8]) == (0, 1)  # both pairs agree on the colour alone
    assert all_levels(shop, MiningSettings(boundaries=(0.4, 1.0)))[0, 1] == 1


def test_a_value_carries_the_bits_of_its_share_among_known_values() -> None:
    bits = information(np.array([[0], [0], [0], [1], [-1]], np.int32))
    np.testing.assert_allclose(bits[:, 0], [np.log2(4 / 3)] * 3 + [2.0, 0.0], rtol=1e-6)


def test_signatures_hold_every_product_once() -> None:
    shop = random_catalogue(200, 9, attributes=2)
    signatures = group_signatures(shop.labels(MiningSettings()))
    assert sorted(signatures.members) == list(range(200))
    for signature, (start, count) in enumerate(zip(signatures.starts, signatures.counts, strict=True)):
        for product in signatures.members[start : start + count]:
            assert shop.verticals[product] == signatures.labels.verticals[signature]
            np.testing.assert_array_equal(shop.codes[product], signatures.labels.codes[signature])


def test_pairs_per_level_count_every_ordered_pair_of_different_products_once() -> None:
    shop, chosen = random_catalogue(50, 4), MiningSettings()
    signatures = group_signatures(shop.labels(chosen))
    counted = np.zeros(6, np.int64)
    for first in range(0, len(signatures), 7):
        rows = slice(first, min(first + 7, len(signatures)))
        counted += pairs_per_level(signatures, rows, pair_levels(signatures, rows, chosen), 5)
    expected = np.zeros(6, np.int64)
    for i in range(50):
        for j in range(50):
            expected[naive_level(shop, chosen, i, j)] += i != j
    np.testing.assert_array_equal(counted, expected)


def test_weights_name_attributes_and_leave_something_to_compare() -> None:
    np.testing.assert_array_equal(attribute_weights(["shape", "colour"], MiningSettings(weights={"colour": 3})), [1, 3])
    with pytest.raises(MiningError, match=r"\['fabric'\]; the catalogue's attributes are \['shape'\]"):
        attribute_weights(["shape"], MiningSettings(weights={"fabric": 2.0}))
