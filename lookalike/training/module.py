"""The training step: forward, the recipe's losses, the learning rate of the moment."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from lookalike.errors import TrainingError
from lookalike.models.embedder import EmbeddingNetwork, Encoded
from lookalike.models.losses import warm_up
from lookalike.models.pixels import PixelNormaliser
from lookalike.training.batches import Batch
from lookalike.training.objective import Objective
from lookalike.training.ranks import ALONE, Ranks
from lookalike.training.recipe import Recipe

WEIGHTING_RATE = 10.0
"""Rate of learnt task weights as a multiple of the recipe's: a log variance travels several units in a short run."""


def learning_rate_share(step: int, steps: int, warm_up_share: float) -> float:
    """Share of the peak rate: a linear rise over the warm-up, then half a cosine down to zero."""
    rising = max(1, round(steps * warm_up_share))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


class TrainingModule(lightning.LightningModule):
    """One network under one recipe; `step` and `epoch_losses` are where a resumed run takes up the count."""

    def __init__(
        self,
        network: EmbeddingNetwork,
        objective: Objective,
        recipe: Recipe,
        total_steps: int,
        ranks: Ranks = ALONE,
    ) -> None:
        super().__init__()
        self.network, self.objective, self.recipe = network, objective, recipe
        self.normaliser = PixelNormaliser(recipe.preprocessing)
        self._total_steps, self._ranks = total_steps, ranks
        self.step = 0
        self.epoch_losses: list[dict[str, float]] = []

    def configure_optimizers(self) -> Optimizer:
        recipe, inside = self.recipe, {id(parameter) for parameter in self.network.encoder.parameters()}
        rest = [parameter for parameter in self.network.parameters() if id(parameter) not in inside]
        groups = [
            _group(self.network.encoder.parameters(), recipe.learning_rate * recipe.encoder_rate),
            _group(rest, recipe.learning_rate),
        ]
        # Neither proxies nor log variances weigh an input: decaying them would only change what they say.
        if self.objective.ranking is not None:
            rate = recipe.learning_rate * recipe.label_ranking.proxy_rate
            groups.append(_group(self.objective.ranking.parameters(), rate, weight_decay=0.0))
        if self.objective.weighting is not None:
            rate = recipe.learning_rate * WEIGHTING_RATE
            groups.append(_group(self.objective.weighting.parameters(), rate, weight_decay=0.0))
        return AdamW(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)

    def finish_epoch(self) -> dict[str, float]:
        """The losses of the epoch, averaged over its steps; the next one starts without any."""
        rows, self.epoch_losses = self.epoch_losses, []
        return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Dropout and latent noise of a step depend on its number alone, so a resumed run draws the same.
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)
        share = learning_rate_share(self.step, self._total_steps, self.recipe.warm_up)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = group["peak"] * share

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        encoded, twins = self._encoded(batch)
        with torch.autocast(batch.pixels.device.type, enabled=False):  # cosines over a temperature need all digits
            losses = self.objective.losses(self.network, encoded, batch, twins)
        loss = self.objective.total(losses, warm_up(self.step, round(self._total_steps * self.recipe.warm_up)))
        figures = {name: float(value.detach()) for name, value in {"loss": loss, **losses}.items()}
        self._require_finite(figures)
        self.epoch_losses.append({**figures, **self.objective.learnt_weights()})
        self.step += 1
        return loss

    def _encoded(self, batch: Batch) -> tuple[Encoded, Tensor | None]:
        """The whole batch in one pass through the network, and its twins' embeddings (V, D) where it has any."""
        if not len(batch.twins):
            return self._whole(self.network(self.normaliser(batch.pixels)), len(batch.labels)), None
        count = len(batch.pixels)
        both = self.network(self.normaliser(torch.cat([batch.pixels, batch.twins])))
        twins = self._ranks.whole(both.embedding[count:], min(self.recipe.twins.count, len(batch.labels)))
        return self._whole(both.first(count), len(batch.labels)), twins

    def _whole(self, part: Encoded, count: int) -> Encoded:
        """Every rank's encodings of a batch of `count` photos: the losses compare photos across it."""
        return Encoded(
            self._ranks.whole(part.embedding, count),
            self._ranks.whole(part.mean, count),
            None if part.log_variance is None else self._ranks.whole(part.log_variance, count),
        )

    def _require_finite(self, figures: Mapping[str, float]) -> None:
        if not all(math.isfinite(value) for value in figures.values()):
            raise TrainingError(
                f"the loss is no longer a number at step {self.step + 1} of {self._total_steps}: {dict(figures)}; "
                f"a smaller learning_rate than {self.recipe.learning_rate} may help"
            )


def _group(parameters: Iterable[nn.Parameter], peak: float, **options: float) -> dict[str, Any]:
    return {"params": list(parameters), "peak": peak, **options}
