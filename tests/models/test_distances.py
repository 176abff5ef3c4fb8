"""The sign and scale every loss and index relies on."""

import torch

from lookalike.models.distances import distance, margin_violation, normalise, pairwise_distance


def test_closer_is_smaller_and_the_range_is_zero_to_two() -> None:
    ahead = torch.tensor([1.0, 0.0])
    others = torch.tensor([[3.0, 0.0], [1.0, 1.0], [0.0, 2.0], [-5.0, 0.0]])
    torch.testing.assert_close(
        distance(ahead.expand_as(others), others), torch.tensor([0.0, 1 - 0.5**0.5, 1.0, 2.0]), atol=1e-6, rtol=0
    )


def test_all_pairs_agree_with_row_by_row() -> None:
    torch.manual_seed(0)
    queries, gallery = torch.randn(4, 7), torch.randn(5, 7)
    naive = torch.stack([torch.stack([distance(q, g) for g in gallery]) for q in queries])
    torch.testing.assert_close(pairwise_distance(queries, gallery), naive)


def test_on_unit_vectors_it_is_half_the_squared_euclidean_distance() -> None:
    torch.manual_seed(0)
    one, other = normalise(torch.randn(6, 9)), normalise(torch.randn(6, 9))
    torch.testing.assert_close(distance(one, other), 0.5 * (one - other).square().sum(dim=1))


def test_a_violation_is_what_is_missing_to_the_margin() -> None:
    near, far = torch.tensor([0.2, 0.2, 0.5]), torch.tensor([0.9, 0.25, 0.2])
    torch.testing.assert_close(margin_violation(near, far, torch.full((3,), 0.1)), torch.tensor([0.0, 0.05, 0.4]))


def test_a_zero_vector_stays_finite() -> None:
    assert normalise(torch.zeros(2, 3)).abs().sum() == 0
