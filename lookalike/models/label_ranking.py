"""Ranking by class labels: the published single-label baseline and its modern rivals.

All of them see the B embeddings of a batch with one class number each, and compare every photo with every other
(or with a proxy per class) instead of reading mined triplets.
"""

from typing import Literal

import torch
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.losses import MultiSimilarityLoss, ProxyAnchorLoss
from pytorch_metric_learning.miners import MultiSimilarityMiner
from torch import Tensor, nn

from lookalike.models.distances import margin_violation, normalise, pairwise_distance

FACENET_MARGIN = 0.1
"""FaceNet's 0.2 (Schroff et al. 2015, section 3.1) is in squared Euclidean distance: twice the cosine distance."""


def semi_hard_loss(embeddings: Tensor, classes: Tensor, margin: float = FACENET_MARGIN) -> Tensor:
    """Mean violation over the anchor-positive pairs of a batch that have a semi-hard negative, 0 without any.

    Schroff et al. 2015, section 3.2: all pairs of a class, (B, D) and (B,), each against a negative farther than the
    positive but within the margin; of those the nearest, the hardest. Which negative that is changes as a positive
    moves, so only for the same negative does a closer positive never cost more.
    """
    distances = pairwise_distance(embeddings, embeddings)  # (B, B)
    same = classes[:, None] == classes[None]  # (B, B)
    anchors, positives = (same & ~torch.eye(len(classes), dtype=torch.bool, device=classes.device)).nonzero().T
    near = distances[anchors, positives]  # (pairs,)
    far = distances[anchors].masked_fill(same[anchors], torch.inf)  # (pairs, B)
    farther = far.masked_fill(far <= near[:, None], torch.inf).min(dim=1).values  # (pairs,)
    violations = margin_violation(near, farther, near.new_tensor(margin))
    return violations.sum() / (violations > 0).sum().clamp(min=1)


class SemiHard(nn.Module):
    """`semi_hard_loss` behind the signature its rivals have."""

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """(B, D) unit vectors and (B,) class numbers to a scalar."""
        return semi_hard_loss(embeddings, classes)


class MultiSimilarity(nn.Module):
    """Wang et al. 2019, sections 3.2 and 3.3: pair mining, then weighting by a pair's own and relative similarity."""

    def __init__(self) -> None:
        super().__init__()
        self._mine = MultiSimilarityMiner(epsilon=0.1)
        self._loss = MultiSimilarityLoss(alpha=2, beta=50, base=0.5)

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """(B, D) unit vectors and (B,) class numbers to a scalar."""
        embeddings = normalise(embeddings)
        return self._loss(embeddings, classes, self._mine(embeddings, classes))


class ProxyAnchor(nn.Module):
    """Kim et al. 2020, equation 4: a learnt proxy per class is the anchor, all photos of the batch its data.

    The proxies, (C, D) parameters, belong to the training and not to the model it makes.
    """

    def __init__(self, class_count: int, dimension: int) -> None:
        super().__init__()
        self._loss = ProxyAnchorLoss(class_count, dimension, margin=0.1, alpha=32, distance=CosineSimilarity())

    @property
    def proxies(self) -> Tensor:
        """(C, D)."""
        return self._loss.proxies

    def forward(self, embeddings: Tensor, classes: Tensor) -> Tensor:
        """(B, D) unit vectors and (B,) class numbers to a scalar."""
        return self._loss(normalise(embeddings), classes)


def build_label_ranking(
    loss: Literal["semi_hard", "proxy_anchor", "multi_similarity"], class_count: int, dimension: int
) -> nn.Module:
    """The loss of a recipe as a module from (B, D) embeddings and (B,) class numbers below `class_count`."""
    if loss == "proxy_anchor":
        return ProxyAnchor(class_count, dimension)
    return SemiHard() if loss == "semi_hard" else MultiSimilarity()
