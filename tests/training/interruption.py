"""A run that loses power on the way and is started again."""

import pytest
import torch

from lookalike.storage import StageRecord
from lookalike.training.module import TrainingModule
from lookalike.training.recipe import Recipe
from tests.training.conftest import Train


def interrupted(
    trained: Train, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, at_step: int, **options: object
) -> StageRecord:
    """Train, lose power at a step, train again."""
    step = TrainingModule.training_step

    def until_the_power_fails(self: TrainingModule, batch: object, batch_idx: int) -> torch.Tensor:
        if self.step == at_step:
            raise OSError("power cut")
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", until_the_power_fails)
        with pytest.raises(OSError, match="power cut"):
            trained(recipe, "resumed", **options)
    return trained(recipe, "resumed", **options)
