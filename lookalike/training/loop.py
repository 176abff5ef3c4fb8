"""The training run itself, on Lightning: epochs from the first unfinished one to the last."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch._dynamo.exc import TorchDynamoException
from torch.nn.modules.batchnorm import _BatchNorm

from lookalike.errors import TrainingError
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.training.batches import EpochBatches
from lookalike.training.data import TrainingSet
from lookalike.training.group import share
from lookalike.training.module import TrainingModule
from lookalike.training.objective import Objective
from lookalike.training.plans import EpochPlan, epoch_plan
from lookalike.training.ranks import Ranks
from lookalike.training.recipe import Recipe
from lookalike.training.state import History, Resumption, TrainingState, read_state
from lookalike.training.state_store import StateStore

log = logging.getLogger(__name__)

SAVE_EVERY_STEPS = 500
"""A minute or two on most machines; the state of a small network is written in milliseconds."""


class Epochs(lightning.LightningDataModule):
    """Hands Lightning each epoch's batches; its own count starts at 0 after every resumption."""

    def __init__(self, data: TrainingSet, recipe: Recipe, plan: EpochPlan, ranks: Ranks, done_steps: int) -> None:
        super().__init__()
        self._data, self._recipe, self._plan, self._ranks = data, recipe, plan, ranks
        self._first_epoch, self._first_step = divmod(done_steps, plan.steps)

    def train_dataloader(self) -> EpochBatches:
        assert self.trainer is not None
        epoch = self.trainer.current_epoch
        first_step = 0 if epoch else self._first_step
        return EpochBatches(self._data, self._recipe, self._plan, self._first_epoch + epoch, self._ranks, first_step)


def run_epochs(
    network: EmbeddingNetwork,
    data: TrainingSet,
    recipe: Recipe,
    store: StateStore | None = None,
    save_every_steps: int = SAVE_EVERY_STEPS,
    callbacks: Sequence[lightning.Callback] = (),
) -> History:
    """Train `network` in place and return a row of mean losses per epoch.

    With a `store` the run takes up where it was left there. In a process that joined others it is one rank of many,
    and goes on from the state that the first one reads. Raises TrainingError for a loss that is no longer a number,
    for a device this machine does not have and for a network that cannot be compiled here.
    """
    ranks = Ranks.from_environment()
    # Convolutions on NHWC pixels run a third faster on CPUs when the weights have the same layout.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()
    _require_whole_statistics(network, ranks)
    plan = epoch_plan(data, recipe)
    objective = Objective(recipe, data.alike, plan.class_count)
    module = TrainingModule(network, objective, recipe, recipe.epochs * plan.steps, ranks)
    state = _take_up(module, plan, None if store is None else _last_state(store, ranks))
    resumption = Resumption(store, state, save_every_steps)
    unfinished = recipe.epochs - len(state.history)
    if unfinished:
        with _quiet():
            trainer = _trainer(recipe, unfinished, [resumption, *callbacks], ranks)
            _fit(trainer, module, Epochs(data, recipe, plan, ranks, module.step))
    return resumption.history


def _require_whole_statistics(network: EmbeddingNetwork, ranks: Ranks) -> None:
    if ranks.world > 1 and any(isinstance(module, _BatchNorm) and module.training for module in network.modules()):
        raise TrainingError(
            f"encoder.batch_norm is 'train': its statistics belong to a whole batch, of which {ranks.world} processes "
            "see a part each; accepted are 'frozen', an encoder without batch norms, or one process"
        )


def _last_state(store: StateStore, ranks: Ranks) -> TrainingState | None:
    """The first process reads it, for all: another one might not see the place, or see a state later."""
    content = share(None if ranks.rank else store.newest() or b"")
    return read_state(content) if content else None


def _take_up(module: TrainingModule, plan: EpochPlan, state: TrainingState | None) -> TrainingState:
    if state is None:
        return TrainingState()
    module.load_state_dict(state.weights)
    module.epoch_losses = list(state.losses)
    module.step = len(state.history) * plan.steps + len(state.losses)
    log.info("going on after epoch %d of %d and %d steps", len(state.history), module.recipe.epochs, len(state.losses))
    return state


def _fit(trainer: lightning.Trainer, module: TrainingModule, epochs: Epochs) -> None:
    if module.recipe.compile:
        module.network.compile()  # in place: the names of its weights stay
    try:
        trainer.fit(module, epochs)
    except TorchDynamoException as error:
        raise TrainingError(f"compile is on and the network cannot be compiled here: {error}") from error
    except SIGTERMException as error:  # else it would end the process with 0, as if all were done
        raise TrainingError(f"ended by SIGTERM after {module.step} steps; run it again to go on") from error


def _trainer(recipe: Recipe, epochs: int, callbacks: list[lightning.Callback], ranks: Ranks) -> lightning.Trainer:
    try:
        return lightning.Trainer(
            accelerator=recipe.device,
            devices=ranks.local_world,
            num_nodes=ranks.world // ranks.local_world,
            precision=recipe.precision,
            max_epochs=epochs,
            callbacks=callbacks,
            gradient_clip_val=recipe.gradient_clip,
            reload_dataloaders_every_n_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **_several(ranks),
        )
    except (MisconfigurationException, ValueError) as error:
        raise TrainingError(f"device '{recipe.device}' cannot be used: {error}") from error


def _several(ranks: Ranks) -> dict[str, Any]:
    """What Lightning needs to know about ranks that somebody else started; the batches are split already."""
    if ranks.world == 1:
        return {}
    # An encoder may have parameters its pooled features do not use, such as a transformer's own pooler.
    strategy = DDPStrategy(find_unused_parameters=True)
    return {"strategy": strategy, "plugins": [TorchElasticEnvironment()], "use_distributed_sampler": False}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's inventory of the machine, its advertisements and its own deprecations."""
    chatter = logging.getLogger("lightning.pytorch")
    level = chatter.level
    chatter.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Found .* in eval mode")  # frozen batch norms are meant to be
            warnings.filterwarnings("ignore", message="find_unused_parameters=True was specified")  # most have none
            warnings.filterwarnings("ignore", message=".*script_method. is deprecated")  # torch's own, when compiling
            warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated")  # Lightning 2.5 on torch 2.13
            yield
    finally:
        chatter.setLevel(level)
