"""Levels agree with counting attributes one pair at a time."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.mining.labels import Labels, label_products
from lookalike.mining.levels import UNDEFINED, Signatures, group_signatures, pair_levels, pairs_per_level
from lookalike.mining.settings import MiningSettings

BOUNDARIES = (0.2, 0.5, 0.75, 1.0)


def naive_level(
    verticals: NDArray, codes: NDArray, weights: NDArray, boundaries: tuple[float, ...], i: int, j: int
) -> int:
    if verticals[i] != verticals[j] and -1 not in (verticals[i], verticals[j]):
        return 0
    known = [a for a in range(codes.shape[1]) if codes[i, a] >= 0 and codes[j, a] >= 0 and weights[a] > 0]
    if not known:
        return UNDEFINED
    share = sum(weights[a] for a in known if codes[i, a] == codes[j, a]) / sum(weights[a] for a in known)
    return sum(share >= boundary - 1e-6 for boundary in boundaries)


def random_products(count: int, seed: int, attributes: int = 4) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    rng = np.random.default_rng(seed)
    return rng.integers(-1, 2, count).astype(np.int32), rng.integers(-1, 3, (count, attributes)).astype(np.int32)


def labelled(verticals: NDArray, codes: NDArray, weights: NDArray | None = None) -> Labels:
    ones = np.ones(codes.shape[1], np.float32)
    return label_products(verticals, codes, ones if weights is None else weights, MiningSettings())


def whole(signatures: Signatures) -> slice:
    return slice(0, len(signatures))


@pytest.mark.parametrize("weights", [(1, 1, 1, 1), (3, 1, 0.5, 0), (0.1, 0.2, 0.3, 0.4)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_levels_equal_a_naive_loop(weights: tuple[float, ...], seed: int) -> None:
    verticals, codes = random_products(60, seed)
    signatures = group_signatures(labelled(verticals, codes, np.array(weights, np.float32)))
    levels = pair_levels(signatures, whole(signatures), MiningSettings())
    of = np.empty(60, int)
    of[signatures.members] = np.repeat(np.arange(len(signatures)), signatures.counts)
    for i in range(60):
        for j in range(60):
            expected = naive_level(verticals, codes, np.array(weights), BOUNDARIES, i, j)
            assert levels[of[i], of[j]] == expected, (i, j)


def test_levels_do_not_depend_on_who_is_the_anchor() -> None:
    signatures = group_signatures(labelled(*random_products(80, 5)))
    levels = pair_levels(signatures, whole(signatures), MiningSettings())
    np.testing.assert_array_equal(levels, levels.T)


def test_a_product_of_another_vertical_is_at_level_zero_and_an_unknown_vertical_is_no_other_one() -> None:
    same = np.zeros((3, 2), np.int32)
    signatures = group_signatures(labelled(np.array([-1, 0, 1], np.int32), same))
    levels = pair_levels(signatures, whole(signatures), MiningSettings())
    np.testing.assert_array_equal(levels, [[4, 4, 4], [4, 4, 0], [4, 0, 4]])


def test_nothing_known_in_common_is_undefined_within_a_vertical() -> None:
    signatures = group_signatures(labelled(np.zeros(2, np.int32), np.array([[-1, 1], [1, -1]], np.int32)))
    levels = pair_levels(signatures, whole(signatures), MiningSettings())
    np.testing.assert_array_equal(levels, [[4, UNDEFINED], [UNDEFINED, 4]])


def test_signatures_hold_every_product_once() -> None:
    verticals, codes = random_products(200, 9, attributes=2)
    signatures = group_signatures(labelled(verticals, codes))
    assert sorted(signatures.members) == list(range(200))
    for signature, (start, count) in enumerate(zip(signatures.starts, signatures.counts, strict=True)):
        for product in signatures.members[start : start + count]:
            assert verticals[product] == signatures.labels.verticals[signature]
            np.testing.assert_array_equal(codes[product], signatures.labels.codes[signature])


def test_pairs_per_level_count_every_ordered_pair_of_different_products_once() -> None:
    verticals, codes = random_products(50, 4)
    signatures = group_signatures(labelled(verticals, codes))
    weights = np.ones(4, np.float32)
    counted = np.zeros(6, np.int64)
    for first in range(0, len(signatures), 7):
        rows = slice(first, min(first + 7, len(signatures)))
        counted += pairs_per_level(signatures, rows, pair_levels(signatures, rows, MiningSettings()), 5)
    expected = np.zeros(6, np.int64)
    for i in range(50):
        for j in range(50):
            if i != j:
                expected[naive_level(verticals, codes, weights, BOUNDARIES, i, j)] += 1
    np.testing.assert_array_equal(counted, expected)
