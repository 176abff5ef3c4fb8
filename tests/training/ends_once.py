"""`lookalike`, one of whose processes ends itself in its first life: at a step, as the environment says."""

import os
import signal

import torch

from app.cli import main
from lookalike.errors import TrainingError
from lookalike.training.module import TrainingModule

FIRST_LIFE = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
STEP, RANK = int(os.environ["ENDS_AT"]), os.environ["ENDING_RANK"]
step = TrainingModule.training_step


def until_its_end(self: TrainingModule, batch: object, batch_idx: int) -> torch.Tensor:
    if FIRST_LIFE and self.step == STEP and os.environ["RANK"] == RANK:
        if os.environ["ENDS_BY"] == "error":
            raise TrainingError("this one cannot go on")
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, batch, batch_idx)


TrainingModule.training_step = until_its_end
main()
