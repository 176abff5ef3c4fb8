"""Colour moves answers only as far as its weight lets it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.catalog.colours import BINS, colour_histogram, histogram_text, read_histograms
from lookalike.catalog.group_fields import COLOURS
from lookalike.errors import QueryError
from lookalike.index.protocol import Hit
from lookalike.search.reranking import rerank

RANDOM = np.random.default_rng(0)


def histograms(count: int) -> NDArray[np.float32]:
    mass = RANDOM.random((count, BINS)).astype(np.float32) ** 8
    return mass / mass.sum(axis=1, keepdims=True)


def hits(scores: NDArray[np.float32], stored: NDArray[np.float32]) -> list[Hit]:
    pairs = zip(scores, stored, strict=True)
    return [
        Hit(f"p{row:03}/0", f"p{row:03}", float(score), {COLOURS: histogram_text(colours)})
        for row, (score, colours) in enumerate(pairs)
    ]


@pytest.mark.parametrize("weight", [0.0, 0.2, 1.0])
def test_the_order_is_that_of_a_naive_loop(weight: float) -> None:
    stored, query = histograms(60), histograms(1)[0]
    given = hits(RANDOM.choice([0.9, 0.8, 0.7], 60).astype(np.float32), stored)
    naive = {}
    for hit in given:
        histogram = read_histograms([hit.fields[COLOURS]])[0]
        shared = sum(min(float(a), float(b)) for a, b in zip(query, histogram, strict=True))
        naive[hit.photo_id] = (1 - weight) * hit.score + weight * shared
    reranked = rerank(given, query, weight, {})
    assert [naive[hit.photo_id] for hit in reranked] == pytest.approx(sorted(naive.values(), reverse=True), abs=2e-6)
    assert {hit.photo_id for hit in reranked} == {hit.photo_id for hit in given}
    assert len(reranked) == len(given)


def test_without_weight_order_and_scores_stay() -> None:
    scores = RANDOM.choice([0.5, 0.25], 20).astype(np.float32)
    given = sorted(hits(scores, histograms(20)), key=lambda hit: (-hit.score, hit.photo_id))
    assert rerank(given, histograms(1)[0], 0.0, {}) == given


def test_a_photo_without_colours_shares_none() -> None:
    query = histograms(1)[0]
    plain, coloured = Hit("a/0", "a", 0.9, {COLOURS: None}), Hit("b/0", "b", 0.8, {COLOURS: histogram_text(query)})
    assert rerank([plain, coloured], query, 0.5, {}) == [coloured, plain]
    assert rerank([plain, coloured], query, 0.05, {}) == [plain, coloured]


def test_a_histogram_survives_its_text_but_for_rounding() -> None:
    stored = histograms(50)
    texts = [histogram_text(histogram) for histogram in stored]
    assert {len(text) for text in texts} == {72}
    assert np.abs(read_histograms(texts) - stored).max() <= 1 / 510 + 1e-6


def test_nothing_to_rank_is_ranked() -> None:
    assert rerank([], histograms(1)[0], 0.5, {}) == []


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_that_is_no_share_is_refused(weight: float) -> None:
    with pytest.raises(QueryError, match="0 to 1 is accepted"):
        rerank(hits(np.ones(1, np.float32), histograms(1)), histograms(1)[0], weight, {})


def test_a_little_weight_brings_the_colour_first_and_keeps_the_shape() -> None:
    """200 drawn products of 4 shapes in 5 colours; the vectors know the shape and nothing of the colour."""
    colours = [(200, 30, 30), (30, 30, 200), (20, 160, 40), (230, 200, 20), (20, 20, 20)]
    shape, colour = RANDOM.integers(4, size=200), RANDOM.integers(5, size=200)
    vectors = np.eye(4, 16, dtype=np.float32)[shape] + RANDOM.normal(0, 0.1, (200, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # (N, D)
    stored = np.stack([colour_histogram(_photo(colours[number])) for number in colour])  # (N, BINS)
    same_colour = {0.0: 0, 0.2: 0}
    for query in range(100):
        others = np.flatnonzero(np.arange(200) != query)
        given = hits((vectors @ vectors[query])[others], stored[others])
        for weight in same_colour:
            best = rerank(given, stored[query], weight, {})[0]
            row = others[int(best.product_id[1:])]
            assert shape[row] == shape[query]
            same_colour[weight] += int(colour[row] == colour[query])
    assert same_colour[0.0] < 40 and same_colour[0.2] == 100  # of 100; chance is 20


def _photo(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A noisy square on white."""
    pixels = np.full((24, 24, 3), 255, dtype=np.uint8)
    pixels[6:18, 6:18] = np.clip(np.array(colour) + RANDOM.integers(-8, 9, (12, 12, 3)), 0, 255)
    return pixels


def test_a_boost_moves_photos_of_its_vertical_by_as_much_as_it_says() -> None:
    far, near = Hit("a/0", "a", 0.80, {"vertical": "bags"}), Hit("b/0", "b", 0.85, {"vertical": "shoes"})
    assert rerank([near, far], None, 0.0, {"bags": 0.04}) == [near, far]
    assert rerank([near, far], None, 0.0, {"bags": 0.06}) == [far, near]
    assert rerank([near, far], None, 0.0, {"bags": 0.06, "shoes": 0.06}) == [near, far]


def test_a_photo_without_a_vertical_gains_nothing() -> None:
    unknown, known = Hit("a/0", "a", 0.80, {"vertical": None}), Hit("b/0", "b", 0.79, {"vertical": "shoes"})
    assert rerank([unknown, known], None, 0.0, {"shoes": 0.02}) == [known, unknown]
