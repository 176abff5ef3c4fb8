"""What an interrupted run needs to go on with the same numbers: weights, optimiser, steps done, history.

Lightning's own checkpoints are pickles, so the state is written here as safetensors. There is no generator to
save: batches, damage and latent noise depend on the seed and the step alone.
"""

import json
from dataclasses import dataclass, field

import lightning
import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException
from safetensors.torch import load, save
from torch import Tensor
from torch.optim import Optimizer

from lookalike.training.checkpoint import tensors_of
from lookalike.training.module import TrainingModule
from lookalike.training.state_store import StateStore

PROGRESS = "progress"
WEIGHTS, OPTIMISER = "weights/", "optimiser/"

History = list[dict[str, float]]
"""One row of figures per finished epoch."""


@dataclass(frozen=True)
class TrainingState:
    """A run after `len(history)` whole epochs and some steps of the next."""

    history: History = field(default_factory=list)
    losses: History = field(default_factory=list)
    """One row per finished step of the epoch that is not finished."""
    weights: dict[str, Tensor] = field(default_factory=dict)
    """Of the network, and of what the objective learns beside it; empty before the first step."""
    optimiser: dict[str, Tensor] = field(default_factory=dict)


def read_state(content: bytes) -> TrainingState:
    """What `state_bytes` wrote."""
    header = content[8 : 8 + int.from_bytes(content[:8], "little")]  # safetensors: its length, JSON, then numbers
    progress = json.loads(json.loads(header)["__metadata__"][PROGRESS])
    tensors = load(content)
    return TrainingState(**progress, weights=_part(tensors, WEIGHTS), optimiser=_part(tensors, OPTIMISER))


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def state_bytes(module: TrainingModule, optimiser: Optimizer, history: History) -> bytes:
    """The state as a file of safetensors."""
    tensors = {WEIGHTS + name: value for name, value in tensors_of(module).items()}
    tensors |= {OPTIMISER + name: value for name, value in _optimiser_tensors(optimiser).items()}
    return save(tensors, {PROGRESS: json.dumps({"history": history, "losses": module.epoch_losses})})


def _optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    return {
        f"{parameter}.{name}": value.cpu().contiguous()
        for parameter, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimiser of the same parameters its moments and step counts back."""
    state = optimiser.state_dict()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for key, value in tensors.items():
        place, name = key.split(".")
        like = parameters[int(place)]
        # A moment takes its parameter's memory layout again, or the kernels that follow round differently.
        kept = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        state["state"].setdefault(int(place), {})[name] = kept
    optimiser.load_state_dict(state)


class Resumption(lightning.Callback):
    """Puts the optimiser back at the start and keeps the history; saves the state every so often."""

    def __init__(self, store: StateStore | None, state: TrainingState, save_every_steps: int) -> None:
        """Without a store nothing is saved; with one, after every epoch and every `save_every_steps` steps."""
        self._store, self._state, self._every = store, state, save_every_steps
        self.history: History = list(state.history)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if self._state.optimiser:
            restore_optimiser(trainer.optimizers[0], self._state.optimiser)

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        assert isinstance(pl_module, TrainingModule)
        if pl_module.step % self._every == 0 and not trainer.is_last_batch:  # the end of an epoch saves anyway
            self._save(trainer, pl_module)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        assert isinstance(pl_module, TrainingModule)
        self.history.append({"epoch": len(self.history) + 1, "steps": pl_module.step, **pl_module.finish_epoch()})
        self._save(trainer, pl_module)

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Save once more when the machine is taken away and there is time to: a step is whole, or has not begun."""
        if isinstance(exception, SIGTERMException) and not trainer.is_last_batch:
            assert isinstance(pl_module, TrainingModule)
            self._save(trainer, pl_module)

    def _save(self, trainer: lightning.Trainer, module: TrainingModule) -> None:
        if self._store is not None and trainer.is_global_zero:
            self._store.save(state_bytes(module, trainer.optimizers[0], self.history), module.step)
