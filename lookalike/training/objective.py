"""What a recipe minimises: the losses of its tasks and what each counts for."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.models.embedder import EmbeddingNetwork, Encoded
from lookalike.models.label_ranking import build_label_ranking
from lookalike.models.losses import (
    attribute_loss,
    contrast_loss,
    instance_loss,
    kl_divergence,
    reconstruction_loss,
    triplet_ranking_loss,
)
from lookalike.models.weighting import UncertaintyWeighting
from lookalike.training.batches import Batch
from lookalike.training.recipe import Recipe

KL = "kl"
"""A constraint on the generative task and no task of its own: its weight is never learnt."""


class Objective(nn.Module):
    """Losses and weights; what they learn (proxies, log variances) is kept for resuming and not in the model."""

    def __init__(self, recipe: Recipe, alike: Sequence[int], class_count: int) -> None:
        """`alike` are the places of the fine attributes among the labels, `class_count` those ranked by label."""
        super().__init__()
        self._recipe, self._alike = recipe, list(alike)
        ranked = recipe.label_ranking.loss if recipe.tasks.label_ranking else None
        self.ranking = None if ranked is None else build_label_ranking(ranked, class_count, recipe.dimension)
        tasks = [name for name, weight in recipe.tasks.model_dump().items() if weight and name != KL]
        self.weighting = UncertaintyWeighting(tasks) if recipe.loss_weighting == "uncertainty" else None

    def losses(
        self, network: EmbeddingNetwork, encoded: Encoded, batch: Batch, twins: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The loss of every task that is on, before any weight; `twins` (V, D) are the embedded second views."""
        recipe, losses = self._recipe, {}
        if recipe.tasks.attributes:
            losses["attributes"] = attribute_loss(network.heads(encoded.embedding), batch.labels)
        if recipe.tasks.triplets:
            losses["triplets"] = triplet_ranking_loss(encoded.embedding, batch.margins)
        if recipe.tasks.contrast:
            fine = batch.labels[:, self._alike]  # (3T, A')
            losses["contrast"] = contrast_loss(encoded.embedding, fine, recipe.contrast_temperature)
        if twins is not None:
            losses["instance"] = instance_loss(twins, encoded.embedding, batch.products, recipe.twins.temperature)
        if self.ranking is not None:
            losses["label_ranking"] = self.ranking(encoded.embedding, batch.classes)
        if encoded.log_variance is not None:
            images = network.reconstruct(encoded, torch.randn_like(encoded.mean))
            losses["reconstruction"] = reconstruction_loss(images, self._thumbnails(batch.clean))
            losses[KL] = kl_divergence(encoded.mean, encoded.log_variance)
        return losses

    def total(self, losses: Mapping[str, Tensor], kl_share: float) -> Tensor:
        """The scalar to minimise; the KL term counts for `kl_share` of its weight while it warms up."""
        weights = {**self._recipe.tasks.model_dump(), KL: self._recipe.tasks.kl * kl_share}
        terms = [weights[name] * value for name, value in losses.items() if self.weighting is None or name == KL]
        if self.weighting is not None:
            terms.append(self.weighting(losses))
        return torch.stack(terms).sum()

    def learnt_weights(self) -> dict[str, float]:
        """What each task counts for at the moment, as `weight_<task>`; empty where weights are fixed."""
        if self.weighting is None:
            return {}
        return {f"weight_{task}": self.weighting.weight(task).item() for task in self.weighting.log_variances}

    def _thumbnails(self, clean: Tensor) -> Tensor:
        """(3T, H, W, 3) uint8 to (3T, 3, h, w) in 0..1."""
        return functional.interpolate(clean.permute(0, 3, 1, 2) / 255, self._recipe.thumbnail, mode="area")
