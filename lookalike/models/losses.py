"""The three tasks of Shopsy (arXiv 2210.04560): masked classification, triplet ranking, a variational autoencoder."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from lookalike.models.distances import distance, margin_violation, pairwise_distance

UNKNOWN = -1
"""Label of an attribute whose value is not known."""

LEAST_COUNTED = 1 / 3
"""Where most labels are missing few photos have a known alike one; a mean over those few would let them decide."""


def attribute_loss(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Cross-entropy averaged over the known labels of a batch; an unknown one gives exactly zero gradient.

    `logits` are A tensors of (B, C), `labels` is (B, A). Masking follows Parekh et al. as cited by Shopsy:
    products of different verticals have different attributes, so most labels of a large shop are unknown.
    """
    total = sum(
        functional.cross_entropy(logit.float(), labels[:, attribute], ignore_index=UNKNOWN, reduction="sum")
        for attribute, logit in enumerate(logits)
    )
    return torch.as_tensor(total) / (labels != UNKNOWN).sum().clamp(min=1)


def triplet_ranking_loss(embeddings: Tensor, margins: Tensor) -> Tensor:
    """Mean violation over T triplets; `margins` (T,) are in cosine distance, wider for wider level gaps.

    `embeddings` (3T, D) holds T anchors, then their T positives, then their T negatives.
    """
    anchor, positive, negative = embeddings.chunk(3)  # (T, D) each
    return margin_violation(distance(anchor, positive), distance(anchor, negative), margins).mean()


def contrast_loss(embeddings: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Supervised contrast (Khosla et al. 2020, equation 2): photos alike in every label before all others.

    `embeddings` (B, D), `labels` (B, A'). A pair with an unknown label and no known difference may or may not be
    alike, so it neither attracts nor repels. The mean is over the photos with an alike one in the batch, and over
    LEAST_COUNTED of the batch where they are fewer.
    """
    known = (labels[:, None] != UNKNOWN) & (labels[None] != UNKNOWN)  # (B, B, A')
    different = (known & (labels[:, None] != labels[None])).any(dim=2)  # (B, B)
    others = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    alike = known.all(dim=2) & ~different & others
    closeness = -pairwise_distance(embeddings, embeddings) / temperature
    closeness = closeness.masked_fill(~(alike | different), -torch.inf)
    surprise = closeness.logsumexp(dim=1, keepdim=True) - closeness  # (B, B), infinite where masked
    counts = alike.sum(dim=1)  # (B,)
    per_photo = surprise.masked_fill(~alike, 0.0).sum(dim=1) / counts.clamp(min=1)
    return per_photo.sum() / (counts > 0).sum().clamp(min=LEAST_COUNTED * len(labels))


def instance_loss(views: Tensor, embeddings: Tensor, products: Tensor, temperature: float) -> Tensor:
    """Instance discrimination (Chen et al. 2020, section 2.1, equation 1): each view before all photos of others.

    `views` (V, D) are of the first V photos; `embeddings` (B, D) of all B, `products` (B,) whose they are. Other
    photos of the view's own product neither attract nor repel.
    """
    closeness = -pairwise_distance(views, embeddings) / temperature  # (V, B)
    own = torch.arange(len(views), device=views.device)
    siblings = products[: len(views), None] == products[None]
    siblings[own, own] = False
    return functional.cross_entropy(closeness.masked_fill(siblings, -torch.inf), own)


def reconstruction_loss(images: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error per pixel and channel, both (B, 3, h, w) in 0..1."""
    return functional.mse_loss(images.float(), targets.float())


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) per latent dimension, averaged over (B, D); Kingma & Welling 2013, app. B."""
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def warm_up(step: int, steps: int) -> float:
    """Rises from 0 to 1 over the first `steps`: a KL term at full weight from the start collapses the latent."""
    return min(1.0, step / steps) if steps else 1.0
