"""Learnt task weights: their cost, their gradients and where they settle."""

import math

import pytest
import torch

from lookalike.models.weighting import UncertaintyWeighting

LOSSES = {"attributes": 2.5, "triplets": 0.04, "reconstruction": 0.3}


def _losses() -> dict[str, torch.Tensor]:
    return {task: torch.tensor(value, requires_grad=True) for task, value in LOSSES.items()}


def _weighting(**log_variances: float) -> UncertaintyWeighting:
    weighting = UncertaintyWeighting(list(LOSSES))
    with torch.no_grad():
        for task, value in log_variances.items():
            weighting.log_variances[task].fill_(value)
    return weighting


def test_the_cost_is_equation_7_for_squared_errors_and_equation_10_for_the_others() -> None:
    weighting = _weighting(attributes=0.7, triplets=-1.0, reconstruction=-2.0)
    expected = (
        (2.5 / math.exp(0.7) + math.log(math.exp(0.7) ** 0.5))
        + (0.04 / math.exp(-1.0) + math.log(math.exp(-1.0) ** 0.5))
        + (0.3 / (2 * math.exp(-2.0)) + math.log(math.exp(-2.0) ** 0.5))
    )
    assert weighting(_losses()).item() == pytest.approx(expected, rel=1e-6)


def test_gradients_are_those_derived_by_hand() -> None:
    weighting, losses = _weighting(attributes=0.7, triplets=-1.0, reconstruction=-2.0), _losses()
    weighting(losses).backward()
    for task, share in (("attributes", 1.0), ("triplets", 1.0), ("reconstruction", 0.5)):
        s = weighting.log_variances[task]
        weight = share * math.exp(-s.item())
        assert float(losses[task].grad) == pytest.approx(weight, rel=1e-6)  # d cost / d loss: the weight itself
        assert float(s.grad) == pytest.approx(0.5 - weight * LOSSES[task], rel=1e-5)


def test_at_fixed_losses_every_weight_settles_at_half_the_inverse_of_its_loss() -> None:
    weighting = _weighting()
    optimiser = torch.optim.AdamW(weighting.parameters(), lr=0.02, weight_decay=0.0)
    fixed = {task: torch.tensor(value) for task, value in LOSSES.items()}
    for _ in range(800):
        optimiser.zero_grad()
        weighting(fixed).backward()
        optimiser.step()
    for task, value in LOSSES.items():
        assert weighting.weight(task).item() == pytest.approx(1 / (2 * value), rel=0.01)


def test_an_unsure_task_counts_for_less_and_none_ever_against_itself() -> None:
    weights = [_weighting(attributes=s).weight("attributes").item() for s in (-20.0, -1.0, 0.0, 1.0, 20.0)]
    assert weights == sorted(weights, reverse=True)
    assert min(weights) > 0
