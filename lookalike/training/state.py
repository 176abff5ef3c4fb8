"""What an interrupted run needs to go on with the same numbers: weights, optimiser, epochs done, history.

Lightning's own checkpoints are pickles, so the state is written here as safetensors and JSON. There is no
generator to save: batches, damage and latent noise depend on the seed and the step alone.
"""

from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from lookalike.storage import atomic_folder, read_json, write_json
from lookalike.training.checkpoint import tensors_of
from lookalike.training.module import TrainingModule

WEIGHTS, OPTIMISER, PROGRESS = "weights.safetensors", "optimiser.safetensors", "progress.json"

History = list[dict[str, float]]
"""One row of figures per finished epoch."""


@dataclass(frozen=True)
class TrainingState:
    """A run after `len(history)` epochs."""

    weights: dict[str, Tensor]
    """Of the network, and of what the objective learns beside it."""
    optimiser: dict[str, Tensor]
    history: History


def load_state(folder: Path) -> TrainingState | None:
    """The state left by an interrupted run, None where there is none."""
    if not (folder / PROGRESS).is_file():
        return None
    return TrainingState(load_file(folder / WEIGHTS), load_file(folder / OPTIMISER), read_json(folder / PROGRESS))


def save_state(folder: Path, module: TrainingModule, optimiser: Optimizer, history: History) -> None:
    """Replace the state in one step; a run that dies meanwhile leaves the one before."""
    with atomic_folder(folder) as aside:
        save_file(tensors_of(module), aside / WEIGHTS)
        save_file(_optimiser_tensors(optimiser), aside / OPTIMISER)
        write_json(aside / PROGRESS, history)


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
    """Puts the optimiser back at the start and keeps the history; saves the state after every epoch."""

    def __init__(self, folder: Path | None, state: TrainingState | None) -> None:
        self._folder, self._state = folder, state
        self.history: History = list(state.history) if state else []

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if self._state is not None:
            restore_optimiser(trainer.optimizers[0], self._state.optimiser)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        assert isinstance(pl_module, TrainingModule)
        self.history.append({"epoch": len(self.history) + 1, "steps": pl_module.step, **pl_module.mean_losses()})
        if self._folder is not None:
            save_state(self._folder, pl_module, trainer.optimizers[0], self.history)
