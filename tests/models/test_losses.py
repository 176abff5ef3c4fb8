"""Losses against naive loops and known gradients."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from lookalike.models.losses import (
    attribute_loss,
    contrast_loss,
    instance_loss,
    kl_divergence,
    reconstruction_loss,
    triplet_ranking_loss,
    warm_up,
)

LABELS = torch.tensor([[0, -1], [2, 1], [-1, -1], [1, 0]])


def _logits() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(4, 3, requires_grad=True), torch.randn(4, 2, requires_grad=True)]


def test_classification_is_the_mean_over_known_labels() -> None:
    logits = _logits()
    terms = [
        -logits[a][b].log_softmax(0)[LABELS[b, a]].item() for a in range(2) for b in range(4) if LABELS[b, a] != -1
    ]
    assert len(terms) == 5
    assert attribute_loss(logits, LABELS).item() == pytest.approx(np.mean(terms), rel=1e-6)


def test_masked_classification_equals_the_loss_with_the_rows_deleted() -> None:
    logits = _logits()
    known = LABELS != -1
    deleted = [
        torch.nn.functional.cross_entropy(logit[rows], LABELS[rows, a], reduction="sum")
        for a, (logit, rows) in enumerate(zip(logits, known.T, strict=True))
    ]
    expected = sum(deleted) / known.sum()
    whole = torch.autograd.grad(attribute_loss(logits, LABELS), logits)
    parts = torch.autograd.grad(expected, logits)
    assert attribute_loss(logits, LABELS).item() == pytest.approx(expected.item(), rel=1e-6)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)


def test_an_unknown_label_gives_exactly_zero_gradient() -> None:
    logits = _logits()
    attribute_loss(logits, LABELS).backward()
    for attribute, logit in enumerate(logits):
        unknown = LABELS[:, attribute] == -1
        assert (logit.grad[unknown] == 0).all()
        assert (logit.grad[~unknown] != 0).all()


def test_a_batch_without_any_known_label_costs_nothing() -> None:
    logits = _logits()
    loss = attribute_loss(logits, torch.full((4, 2), -1))
    loss.backward()
    assert loss.item() == 0
    assert all((logit.grad == 0).all() for logit in logits)


def test_triplets_equal_a_naive_loop() -> None:
    torch.manual_seed(1)
    embeddings, margins = torch.randn(15, 6), torch.rand(5)
    violations = []
    for t in range(5):
        a, p, n = embeddings[t], embeddings[5 + t], embeddings[10 + t]
        near, far = 1 - torch.cosine_similarity(a, p, dim=0), 1 - torch.cosine_similarity(a, n, dim=0)
        violations.append(max(0.0, float(near - far + margins[t])))
    assert float(triplet_ranking_loss(embeddings, margins)) == pytest.approx(np.mean(violations), rel=1e-5)


def test_a_closer_positive_never_costs_more_and_a_closer_negative_never_less() -> None:
    anchor, negative = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    turns = torch.linspace(0, math.pi, 30)
    moving = torch.stack([turns.cos(), turns.sin()], dim=1)
    margins = torch.tensor([0.3])
    as_positive = [float(triplet_ranking_loss(torch.cat([anchor, m[None], negative]), margins)) for m in moving]
    as_negative = [float(triplet_ranking_loss(torch.cat([anchor, negative, m[None]]), margins)) for m in moving]
    assert as_positive == sorted(as_positive)
    assert as_negative == sorted(as_negative, reverse=True)


def test_a_wider_gap_between_levels_costs_more() -> None:
    torch.manual_seed(2)
    triplet = torch.randn(3, 6)
    margins = torch.linspace(0, 3, 31)
    costs = [float(triplet_ranking_loss(triplet, margin[None])) for margin in margins]
    assert costs == sorted(costs)
    assert costs[-1] - costs[-2] == pytest.approx(0.1, rel=1e-4)  # once violated, the whole difference


def test_a_triplet_in_order_by_its_margin_gives_no_gradient() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.2]], requires_grad=True)
    triplet_ranking_loss(embeddings, torch.tensor([0.5])).backward()
    assert (embeddings.grad == 0).all()


def _naive_contrast(embeddings: torch.Tensor, labels: torch.Tensor, temperature: float) -> float:
    unit = (embeddings / embeddings.norm(dim=1, keepdim=True)).double()
    per_photo = []
    for i in range(len(labels)):
        alike, judged = [], []
        for j in range(len(labels)):
            pairs = list(zip(labels[i].tolist(), labels[j].tolist(), strict=True))
            if i == j:
                continue
            if any(a != b for a, b in pairs if a != -1 and b != -1):
                judged.append(j)
            elif all(a != -1 and b != -1 for a, b in pairs):
                judged.append(j)
                alike.append(j)
        if alike:
            scores = {j: float(unit[i] @ unit[j]) / temperature for j in judged}
            total = math.log(sum(math.exp(score) for score in scores.values()))
            per_photo.append(np.mean([total - scores[j] for j in alike]))
    return float(sum(per_photo) / max(len(per_photo), len(labels) / 3))


def test_one_known_pair_among_many_unknown_photos_weighs_no_more_than_its_share() -> None:
    torch.manual_seed(5)
    embeddings, labels = torch.randn(30, 4), torch.full((30, 1), -1)
    labels[:3, 0] = torch.tensor([0, 0, 1])
    pair = contrast_loss(embeddings[:3], labels[:3], 0.1).item()  # two of three photos count
    assert contrast_loss(embeddings, labels, 0.1).item() == pytest.approx(pair * 2 / 10, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_contrast_equals_a_naive_loop(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(12, 5, generator=generator)
    labels = torch.randint(-1, 2, (12, 2), generator=generator)
    # A cosine of float32 against one of float64, each divided by the temperature.
    assert float(contrast_loss(embeddings, labels, 0.1)) == pytest.approx(
        _naive_contrast(embeddings, labels, 0.1), rel=1e-5, abs=1e-5
    )


def test_contrast_with_unknown_labels_only_costs_nothing_and_has_a_finite_gradient() -> None:
    embeddings = torch.randn(4, 3, requires_grad=True)
    loss = contrast_loss(embeddings, torch.full((4, 2), -1), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert (embeddings.grad == 0).all()


def test_a_photo_with_unknown_labels_gets_no_gradient_unless_it_differs() -> None:
    embeddings = torch.eye(4, requires_grad=True)
    labels = torch.tensor([[0, 1], [0, 1], [1, 1], [0, -1]])  # the last may or may not be like the first two
    contrast_loss(embeddings[:, :], labels, 0.5).backward()
    assert (embeddings.grad[3] == 0).all()
    assert (embeddings.grad[2] != 0).any()


def test_reconstruction_is_the_mean_squared_error() -> None:
    assert float(reconstruction_loss(torch.full((2, 3, 4, 4), 0.75), torch.full((2, 3, 4, 4), 0.25))) == 0.25


def test_kl_agrees_with_torch_distributions_and_vanishes_at_the_prior() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)
    assert float(kl_divergence(torch.zeros(2, 2), torch.zeros(2, 2))) == 0


def test_kl_matches_the_closed_form_number_by_number() -> None:
    terms = [0.5 * (m**2 + v - 1 - math.log(v)) for m, v in ((0.0, 1.0), (2.0, 1.0), (0.0, 0.25), (-1.0, 4.0))]
    mean, variance = torch.tensor([[0.0, 2.0], [0.0, -1.0]]), torch.tensor([[1.0, 1.0], [0.25, 4.0]])
    assert float(kl_divergence(mean, variance.log())) == pytest.approx(np.mean(terms), rel=1e-6)


def test_warm_up_rises_once_and_stays() -> None:
    assert [warm_up(step, 4) for step in range(7)] == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert warm_up(0, 0) == 1


def test_instance_discrimination_is_the_naive_loop_over_views() -> None:
    torch.manual_seed(3)
    views, photos, products = torch.randn(3, 5), torch.randn(6, 5), torch.tensor([0, 1, 2, 1, 0, 3])
    terms = []
    for view in range(3):
        cosines = [torch.cosine_similarity(views[view], photo, dim=0).item() for photo in photos]
        rivals = [b for b in range(6) if b == view or products[b] != products[view]]
        total = sum(math.exp(cosines[b] / 0.2) for b in rivals)
        terms.append(-math.log(math.exp(cosines[view] / 0.2) / total))
    assert instance_loss(views, photos, products, 0.2).item() == pytest.approx(np.mean(terms), rel=1e-5)


def test_another_photo_of_the_views_own_product_neither_attracts_nor_repels() -> None:
    photos = torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    instance_loss(photos.detach()[:1] + 0.1, photos, torch.tensor([7, 8, 7, 9]), 0.2).backward()
    assert (photos.grad[2] == 0).all()
    assert (photos.grad[[0, 1, 3]] != 0).any(dim=1).all()


def test_a_view_nearer_to_its_own_photo_never_costs_more() -> None:
    photos, products = torch.eye(4), torch.arange(4)
    views = [torch.tensor([[near, math.sqrt(1 - near**2), 0.0, 0.0]]) for near in np.linspace(0, 1, 21).tolist()]
    costs = [instance_loss(view, photos, products, 0.1).item() for view in views]
    assert all(later <= earlier for earlier, later in pairwise(costs))
