"""Label ranking losses against their published formulas, computed by naive loops."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from lookalike.models.distances import normalise
from lookalike.models.label_ranking import ProxyAnchor, build_label_ranking, semi_hard_loss
from lookalike.models.losses import contrast_loss, triplet_ranking_loss

CLASSES = torch.tensor([0, 0, 0, 2, 2, 1, 1, 1, 1])


def _embeddings(seed: int, count: int = len(CLASSES), dimension: int = 4) -> Tensor:
    return normalise(torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed)))


def _cosines(embeddings: Tensor) -> np.ndarray:
    return (embeddings.double() @ embeddings.double().T).numpy()


def _naive_semi_hard(cosines: np.ndarray, labels: list[int], margin: float) -> float:
    violations = []
    for a in range(len(labels)):
        for p in range(len(labels)):
            if a == p or labels[a] != labels[p]:
                continue
            negatives = [1 - cosines[a, n] for n in range(len(labels)) if labels[n] != labels[a]]
            semi_hard = [far for far in negatives if 1 - cosines[a, p] < far < 1 - cosines[a, p] + margin]
            if semi_hard:
                violations.append(1 - cosines[a, p] - min(semi_hard) + margin)
    return float(np.mean(violations)) if violations else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_semi_hard_mining_equals_a_loop_over_all_pairs(seed: int) -> None:
    embeddings = _embeddings(seed)
    expected = _naive_semi_hard(_cosines(embeddings), CLASSES.tolist(), 0.1)
    assert float(semi_hard_loss(embeddings, CLASSES)) == pytest.approx(expected, abs=1e-5)


def test_without_semi_hard_negatives_nothing_is_learnt() -> None:
    apart = torch.eye(2).repeat_interleave(2, dim=0).requires_grad_()
    loss = semi_hard_loss(apart, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss.item() == 0
    assert (apart.grad == 0).all()


def _naive_multi_similarity(cosines: np.ndarray, labels: list[int]) -> float:
    alpha, beta, base, epsilon = 2.0, 50.0, 0.5, 0.1
    per_anchor = []
    for a in range(len(labels)):
        positives = [cosines[a, j] for j in range(len(labels)) if j != a and labels[j] == labels[a]]
        negatives = [cosines[a, j] for j in range(len(labels)) if labels[j] != labels[a]]
        hard_positives = [s for s in positives if s < max(negatives) + epsilon]  # equation 7
        hard_negatives = [s for s in negatives if s > min(positives) - epsilon]  # equation 6
        pull = math.log(1 + sum(math.exp(-alpha * (s - base)) for s in hard_positives)) / alpha
        push = math.log(1 + sum(math.exp(beta * (s - base)) for s in hard_negatives)) / beta
        per_anchor.append(pull + push)
    return float(np.mean(per_anchor))


@pytest.mark.parametrize("seed", range(5))
def test_multi_similarity_equals_equation_8_after_mining_by_6_and_7(seed: int) -> None:
    embeddings = _embeddings(seed)
    found = build_label_ranking("multi_similarity", 3, 4)(embeddings, CLASSES)
    assert float(found) == pytest.approx(_naive_multi_similarity(_cosines(embeddings), CLASSES.tolist()), rel=1e-5)


def _naive_proxy_anchor(embeddings: Tensor, proxies: Tensor, labels: list[int]) -> float:
    alpha, margin = 32.0, 0.1
    cosines = (embeddings.double() @ normalise(proxies).double().T).tolist()  # (B, C)
    pull = push = 0.0
    for proxy in range(len(proxies)):
        near = [row[proxy] for row, label in zip(cosines, labels, strict=True) if label == proxy]
        far = [row[proxy] for row, label in zip(cosines, labels, strict=True) if label != proxy]
        pull += math.log(1 + sum(math.exp(-alpha * (s - margin)) for s in near)) if near else 0.0
        push += math.log(1 + sum(math.exp(alpha * (s + margin)) for s in far))
    return pull / len(set(labels)) + push / len(proxies)


@pytest.mark.parametrize("seed", range(5))
def test_proxy_anchor_equals_equation_4_with_proxies_of_absent_classes(seed: int) -> None:
    torch.manual_seed(seed)
    loss, embeddings = ProxyAnchor(5, 4), _embeddings(seed)
    expected = _naive_proxy_anchor(embeddings, loss.proxies.detach(), CLASSES.tolist())
    assert loss(embeddings, CLASSES).item() == pytest.approx(expected, rel=1e-5)


def test_only_proxy_anchor_learns_something_of_its_own() -> None:
    shapes = {
        name: [tuple(parameter.shape) for parameter in build_label_ranking(name, 5, 4).parameters()]
        for name in ("semi_hard", "multi_similarity", "proxy_anchor")
    }
    assert shapes == {"semi_hard": [], "multi_similarity": [], "proxy_anchor": [(5, 4)]}


def _triplets(embeddings: Tensor) -> Tensor:
    return triplet_ranking_loss(embeddings[[0, 1, 2]], torch.tensor([0.4]))


def _contrast(embeddings: Tensor) -> Tensor:
    return contrast_loss(embeddings, torch.tensor([[0], [0], [1], [2]]), 0.1)


def _multi_similarity(embeddings: Tensor) -> Tensor:
    return build_label_ranking("multi_similarity", 3, 4)(embeddings, torch.tensor([0, 0, 1, 2]))


def _proxy_anchor(embeddings: Tensor) -> Tensor:
    """The second photo's place is taken by the first one's proxy."""
    loss = ProxyAnchor(3, 4)
    loss.proxies.data = embeddings[1:].clone()
    return loss(embeddings[:1], torch.tensor([0]))


@pytest.mark.parametrize("loss", [_triplets, _contrast, _multi_similarity, _proxy_anchor])
@pytest.mark.parametrize("seed", range(6))
def test_a_closer_positive_never_costs_more(loss: Callable[[Tensor], Tensor], seed: int) -> None:
    """One cosine of four photos is moved through all values it can take, the other five are left as they are."""
    costs = [loss(vectors).item() for vectors in _approaching(seed)]
    assert len(costs) > 10
    assert all(later <= earlier * (1 + 1e-5) for earlier, later in pairwise(costs))
    assert costs[-1] < costs[0]


@pytest.mark.parametrize("seed", range(3))
def test_with_the_same_semi_hard_negative_a_closer_positive_never_costs_more(seed: int) -> None:
    """Once the positive is nearer than the only negative, from either side, the selection stays as it is."""
    classes = torch.tensor([0, 0, 1])
    nearer = [v[:3] for v in _approaching(seed) if _cosines(v)[0, 1] > _cosines(v)[[0, 1], 2].max()]
    costs = [float(semi_hard_loss(vectors, classes, margin=2.0)) for vectors in nearer]
    assert len(costs) > 10
    assert costs == sorted(costs, reverse=True)


def _approaching(seed: int) -> list[Tensor]:
    """Four unit vectors with the cosines of four random ones, but for that of the first two, which rises."""
    gram = torch.from_numpy(_cosines(_embeddings(seed, 4, 16)))
    found = []
    for cosine in np.linspace(-0.99, 0.99, 80):
        gram[0, 1] = gram[1, 0] = cosine
        values, directions = torch.linalg.eigh(gram)
        if values.min() > 1e-6:
            found.append((directions * values.sqrt()).float())  # (4, 4): its rows have exactly these cosines
    return found
