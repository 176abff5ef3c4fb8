"""The training run itself, on Lightning: epochs from the first unfinished one to the last."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from lookalike.errors import TrainingError
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.training.batches import EpochBatches
from lookalike.training.data import TrainingSet
from lookalike.training.module import TrainingModule
from lookalike.training.objective import Objective
from lookalike.training.plans import EpochPlan, epoch_plan
from lookalike.training.recipe import Recipe
from lookalike.training.state import History, Resumption, load_state

log = logging.getLogger(__name__)


class Epochs(lightning.LightningDataModule):
    """Hands Lightning each epoch's batches; its own count starts at 0 after every resumption."""

    def __init__(self, data: TrainingSet, recipe: Recipe, plan: EpochPlan, first_epoch: int) -> None:
        super().__init__()
        self._data, self._recipe, self._plan, self._first_epoch = data, recipe, plan, first_epoch

    def train_dataloader(self) -> EpochBatches:
        assert self.trainer is not None
        return EpochBatches(self._data, self._recipe, self._plan, self._first_epoch + self.trainer.current_epoch)


def run_epochs(network: EmbeddingNetwork, data: TrainingSet, recipe: Recipe, state_folder: Path | None) -> History:
    """Train `network` in place and return a row of mean losses per epoch.

    With a `state_folder` the run takes up where it was left there. Raises TrainingError for a loss that is no
    longer a number and for a device this machine does not have.
    """
    state = None if state_folder is None else load_state(state_folder)
    done = len(state.history) if state else 0
    if state is not None:
        log.info("going on after epoch %d of %d, from %s", done, recipe.epochs, state_folder)
    # Convolutions on NHWC pixels run a third faster on CPUs when the weights have the same layout.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()
    plan, resumption = epoch_plan(data, recipe), Resumption(state_folder, state)
    objective = Objective(recipe, data.alike, plan.class_count)
    module = TrainingModule(network, objective, recipe, done * plan.steps, recipe.epochs * plan.steps)
    if state is not None:
        module.load_state_dict(state.weights)
    if done < recipe.epochs:
        with _quiet():
            _trainer(recipe, recipe.epochs - done, resumption).fit(module, Epochs(data, recipe, plan, done))
    return resumption.history


def _trainer(recipe: Recipe, epochs: int, resumption: Resumption) -> lightning.Trainer:
    try:
        return lightning.Trainer(
            accelerator=recipe.device,
            devices=1,
            precision=recipe.precision,
            max_epochs=epochs,
            callbacks=[resumption],
            gradient_clip_val=recipe.gradient_clip,
            reload_dataloaders_every_n_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
    except (MisconfigurationException, ValueError) as error:
        raise TrainingError(f"device '{recipe.device}' cannot be used: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's inventory of the machine, its advertisements and its own deprecations."""
    chatter = logging.getLogger("lightning.pytorch")
    level = chatter.level
    chatter.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Found .* in eval mode")  # frozen batch norms are meant to be
            warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated")  # Lightning 2.5 on torch 2.13
            yield
    finally:
        chatter.setLevel(level)
