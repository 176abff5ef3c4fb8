"""A query's vertical from the head and from the votes of neighbours."""

import numpy as np
import pytest

from lookalike.fusion import Fusion, fuse, head_verticals, judge_category, vote_verticals

FUSION = Fusion(
    model_fingerprint="m",
    verticals=("bags", "shoes"),
    attribute="type",
    by_value={"boot": (0.0, 1.0), "tote": (1.0, 0.0), "strap": (0.5, 0.5)},
    sharpness=2.0,
    head_weight=0.25,
    sure=0.9,
    boost=0.1,
)
LABELS = ["boot", "strap", "tote"]
HEAD = np.array([0.6, 0.3, 0.1], dtype=np.float32)


def test_the_heads_verticals_are_its_values_shared_out() -> None:
    told = head_verticals(HEAD[None], LABELS, FUSION.by_value, 2)
    assert told[0] == pytest.approx([0.1 + 0.15, 0.6 + 0.15])


def test_a_value_without_products_says_nothing_about_the_vertical() -> None:
    told = head_verticals(np.ones((1, 1), np.float32), ["never sold"], FUSION.by_value, 2)
    assert told[0] == pytest.approx([0.5, 0.5])


def test_votes_equal_a_naive_count_of_weights() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(-1, 1, (5, 7)).astype(np.float32)
    filed = rng.integers(-1, 3, (5, 7))
    told = vote_verticals(scores, filed, 3, 1.5)
    for row in range(5):
        naive = np.zeros(3)
        for score, vertical in zip(scores[row].tolist(), filed[row].tolist(), strict=True):
            if vertical >= 0:
                naive[vertical] += np.exp(-1.5 * (2 - 2 * score))
        assert told[row] == pytest.approx(naive / naive.sum())


def test_without_sharpness_every_neighbour_counts_the_same() -> None:
    told = vote_verticals(np.array([[0.9, 0.1, -0.5]], np.float32), np.array([[0, 1, 1]]), 2, 0.0)
    assert told[0] == pytest.approx([1 / 3, 2 / 3])


def test_where_no_neighbour_has_a_vertical_all_are_as_likely() -> None:
    assert vote_verticals(np.ones((1, 2), np.float32), np.full((1, 2), -1), 4, 1.0)[0] == pytest.approx([0.25] * 4)


def test_a_photo_is_judged_by_the_weighted_average_of_both() -> None:
    neighbours = [(0.9, "bags"), (0.8, "bags"), (0.2, "shoes")]
    category = judge_category(FUSION, HEAD, LABELS, neighbours)
    weights = [np.exp(-2 * (2 - 2 * score)) for score, _ in neighbours]
    votes = np.array([weights[0] + weights[1], weights[2]]) / sum(weights)
    fused = fuse(np.array([[0.25, 0.75]]), votes[None], 0.25)[0]
    assert category.probabilities == pytest.approx({"bags": fused[0], "shoes": fused[1]}, abs=1e-6)
    assert category.fused.value == "bags" and category.head is not None and category.head.value == "shoes"
    assert category.votes is not None and category.votes.confidence == pytest.approx(votes[0], abs=1e-6)


def test_the_votes_decide_where_no_head_speaks() -> None:
    category = judge_category(FUSION, None, [], [(0.9, "bags")])
    assert category.head is None and category.fused.value == "bags" and category.fused.confidence == 1.0


def test_the_head_decides_where_no_neighbour_is_filed() -> None:
    category = judge_category(FUSION, HEAD, LABELS, [(0.9, None), (0.8, "a vertical of another release")])
    assert category.votes is None and category.fused == category.head
