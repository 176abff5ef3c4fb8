"""A training process that is killed outright loses at most the steps since its last saved state."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from lookalike.training.shelves import open_shelf
from lookalike.training.state import TrainingState, read_state
from lookalike.training.state_store import StateStore
from tests.training.conftest import Train, tiny_recipe

RECIPE = tiny_recipe(epochs=3)

TRAINS_AND_DIES = """
import os, signal, sys
from pathlib import Path
from lookalike.training.fit import train
from lookalike.training.module import TrainingModule
from lookalike.training.recipe import Recipe

how, every, shop, output, recipe, folder = sys.argv[1:]
step = TrainingModule.training_step

def until_the_seventh(self, batch, batch_idx):
    if self.step == 6:
        os.kill(os.getpid(), getattr(signal, how))
    return step(self, batch, batch_idx)

TrainingModule.training_step = until_the_seventh
stages = [Path(shop) / name for name in ("validated", "splits", "triplets")]
settings = {"resume_at": Path(folder), "save_every_steps": int(every)}
train(*stages, Path(output), Recipe.model_validate_json(recipe), **settings)
"""


def state_left_by(how: str, every: int, shop: Path, tmp_path: Path) -> tuple[int, TrainingState]:
    """How a training process ends that gets a signal when its seventh step begins, and the state it leaves."""
    arguments = [
        how,
        str(every),
        str(shop),
        str(tmp_path / "resumed"),
        RECIPE.model_dump_json(),
        str(tmp_path / "state"),
    ]
    ended = subprocess.run([sys.executable, "-c", TRAINS_AND_DIES, *arguments], env={**os.environ}, check=False)
    (folder,) = (tmp_path / "state").iterdir()
    content = StateStore(open_shelf(str(folder))).newest()
    assert content is not None
    return ended.returncode, read_state(content)


def test_a_run_that_is_asked_to_end_finishes_its_step_and_saves_it(shop: Path, tmp_path: Path) -> None:
    code, state = state_left_by("SIGTERM", 500, shop, tmp_path)
    assert code == 1  # not 0, as if it were done
    assert (len(state.history), len(state.losses)) == (1, 3)


def test_a_run_killed_within_an_epoch_ends_with_the_same_bytes(trained: Train, shop: Path, tmp_path: Path) -> None:
    recipe, kept = RECIPE, tmp_path / "state"
    code, state = state_left_by("SIGKILL", 3, shop, tmp_path)
    assert code == -signal.SIGKILL
    assert (len(state.history), len(state.losses)) == (1, 2)  # 4 steps per epoch, saved after steps 3, 4, 6 ...

    resumed = trained(recipe, "resumed", resume_at=kept, save_every_steps=3)
    whole = trained(recipe, "whole")
    assert resumed.content == whole.content
    assert (tmp_path / "resumed" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()
    assert not list(kept.iterdir())
