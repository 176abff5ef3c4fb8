"""The colours of a product, whatever stands behind it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.catalog.colours import BINS, colour_histogram, intersection, product_region

RED, BLUE, WHITE, BLACK, GREEN = (200, 30, 30), (30, 30, 200), (255, 255, 255), (10, 10, 10), (20, 160, 40)


def drawn(colour: tuple[int, int, int], background: tuple[int, int, int] = WHITE, side: int = 16) -> NDArray[np.uint8]:
    """A (32, 24, 3) photo with a square of one colour in the middle."""
    pixels = np.full((32, 24, 3), background, dtype=np.uint8)
    top, left = (32 - side) // 2, (24 - side) // 2
    pixels[top : top + side, left : left + side] = colour
    return pixels


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(intersection(colour_histogram(one), colour_histogram(other)[np.newaxis])[0])


@pytest.mark.parametrize("background", [WHITE, BLACK, GREEN])
def test_neither_the_background_nor_the_products_size_counts(background: tuple[int, int, int]) -> None:
    assert alike(drawn(RED), drawn(RED, background, side=10)) == 1.0
    assert alike(drawn(RED), drawn(BLUE, background)) == 0.0


def test_what_hardly_stands_out_is_seen_whole() -> None:
    assert product_region(drawn((250, 250, 250))).all()
    assert product_region(drawn(RED)).sum() == 16 * 16


def test_greys_differ_by_value_and_not_by_the_hue_of_their_noise() -> None:
    assert alike(drawn((128, 130, 127)), drawn((127, 126, 131))) == 1.0
    assert alike(drawn((30, 30, 30)), drawn((140, 140, 140))) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_a_histogram_is_shares_that_shuffling_the_product_leaves_alone(seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    histogram = colour_histogram(pixels)
    assert histogram.shape == (BINS,) and histogram.min() >= 0 and histogram.sum() == pytest.approx(1, abs=1e-5)
    assert intersection(histogram, histogram[np.newaxis])[0] == pytest.approx(1, abs=1e-5)
    inside = pixels[1:-1, 1:-1].reshape(-1, 3)
    shuffled = pixels.copy()
    shuffled[1:-1, 1:-1] = np.random.default_rng(seed).permutation(inside).reshape(6, 4, 3)
    np.testing.assert_allclose(colour_histogram(shuffled), histogram, atol=1e-6)
