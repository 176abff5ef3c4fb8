"""The training step: forward, the recipe's losses, the learning rate of the moment."""

import math
from collections.abc import Mapping, Sequence

import lightning
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW, Optimizer

from lookalike.errors import TrainingError
from lookalike.models.embedder import EmbeddingNetwork, Encoded
from lookalike.models.losses import (
    attribute_loss,
    contrast_loss,
    kl_divergence,
    reconstruction_loss,
    triplet_ranking_loss,
    warm_up,
)
from lookalike.models.pixels import PixelNormaliser
from lookalike.training.batches import Batch
from lookalike.training.recipe import Recipe


def learning_rate_share(step: int, steps: int, warm_up_share: float) -> float:
    """Share of the peak rate: a linear rise over the warm-up, then half a cosine down to zero."""
    rising = max(1, round(steps * warm_up_share))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


class TrainingModule(lightning.LightningModule):
    """One network under one recipe; `first_step` is where a resumed run takes up the count."""

    def __init__(
        self, network: EmbeddingNetwork, recipe: Recipe, alike: Sequence[int], first_step: int, total_steps: int
    ) -> None:
        """`alike` are the places of the fine attributes among the labels."""
        super().__init__()
        self.network, self.recipe = network, recipe
        self.normaliser = PixelNormaliser(recipe.preprocessing)
        self._alike = list(alike)
        self.step, self._total_steps = first_step, total_steps
        self.epoch_losses: list[dict[str, float]] = []

    def configure_optimizers(self) -> Optimizer:
        encoder = list(self.network.encoder.parameters())
        inside = {id(parameter) for parameter in encoder}
        rest = [parameter for parameter in self.network.parameters() if id(parameter) not in inside]
        rate = self.recipe.learning_rate
        groups = [{"params": encoder, "peak": rate * self.recipe.encoder_rate}, {"params": rest, "peak": rate}]
        return AdamW(groups, lr=rate, weight_decay=self.recipe.weight_decay)

    def on_train_epoch_start(self) -> None:
        self.epoch_losses = []

    def mean_losses(self) -> dict[str, float]:
        """The losses of the epoch so far, averaged over its steps."""
        return {
            name: sum(row[name] for row in self.epoch_losses) / len(self.epoch_losses) for name in self.epoch_losses[0]
        }

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Dropout and latent noise of a step depend on its number alone, so a resumed run draws the same.
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)
        share = learning_rate_share(self.step, self._total_steps, self.recipe.warm_up)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = group["peak"] * share

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        encoded = self.network(self.normaliser(batch.pixels))
        losses = self._losses(encoded, batch)
        weights = self._weights()
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        figures = {name: float(value.detach()) for name, value in {"loss": loss, **losses}.items()}
        self._require_finite(figures)
        self.epoch_losses.append(figures)
        self.step += 1
        return loss

    def _losses(self, encoded: Encoded, batch: Batch) -> dict[str, Tensor]:
        tasks, losses = self.recipe.tasks, {}
        if tasks.attributes:
            losses["attributes"] = attribute_loss(self.network.heads(encoded.embedding), batch.labels)
        if tasks.triplets:
            losses["triplets"] = triplet_ranking_loss(encoded.embedding, batch.margins)
        if tasks.contrast:
            fine = batch.labels[:, self._alike]  # (3T, A')
            losses["contrast"] = contrast_loss(encoded.embedding, fine, self.recipe.contrast_temperature)
        if encoded.log_variance is not None:
            noise = torch.randn_like(encoded.mean)
            images = self.network.reconstruct(encoded, noise)
            losses["reconstruction"] = reconstruction_loss(images, self._thumbnails(batch.clean))
            losses["kl"] = kl_divergence(encoded.mean, encoded.log_variance)
        return losses

    def _thumbnails(self, clean: Tensor) -> Tensor:
        """(3T, H, W, 3) uint8 to (3T, 3, h, w) in 0..1."""
        return functional.interpolate(clean.permute(0, 3, 1, 2) / 255, self.recipe.thumbnail, mode="area")

    def _weights(self) -> dict[str, float]:
        rising = warm_up(self.step, round(self._total_steps * self.recipe.warm_up))
        weights = self.recipe.tasks.model_dump()
        return {**weights, "kl": weights["kl"] * rising}

    def _require_finite(self, figures: Mapping[str, float]) -> None:
        if not all(math.isfinite(value) for value in figures.values()):
            raise TrainingError(
                f"the loss is no longer a number at step {self.step + 1} of {self._total_steps}: {dict(figures)}; "
                f"a smaller learning_rate than {self.recipe.learning_rate} may help"
            )
