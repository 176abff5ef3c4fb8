"""A training process that is killed outright loses at most the steps since its last saved state."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from lookalike.training.shelves import open_shelf
from lookalike.training.state import read_state
from lookalike.training.state_store import StateStore
from tests.training.conftest import Train, tiny_recipe

TRAINS_AND_DIES = """
import os, signal, sys
from pathlib import Path
from lookalike.training.fit import train
from lookalike.training.recipe import Recipe
from lookalike.training.state_store import StateStore

save, saves = StateStore.save, []

def and_die(*arguments):
    save(*arguments)
    saves.append(1)
    if len(saves) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

StateStore.save = and_die
shop, output, recipe, folder = sys.argv[1:]
stages = [Path(shop) / name for name in ("validated", "splits", "triplets")]
train(*stages, Path(output), Recipe.model_validate_json(recipe), resume_at=Path(folder), save_every_steps=3)
"""


def test_a_run_killed_within_an_epoch_ends_with_the_same_bytes(trained: Train, shop: Path, tmp_path: Path) -> None:
    recipe, kept = tiny_recipe(epochs=3), tmp_path / "state"
    arguments = [str(shop), str(tmp_path / "resumed"), recipe.model_dump_json(), str(kept)]
    killed = subprocess.run([sys.executable, "-c", TRAINS_AND_DIES, *arguments], env={**os.environ}, check=False)
    assert killed.returncode == -signal.SIGKILL
    (folder,) = kept.iterdir()
    content = StateStore(open_shelf(str(folder))).newest()
    assert content is not None
    state = read_state(content)
    assert (len(state.history), len(state.losses)) == (1, 2)  # 4 steps per epoch, saved after steps 3, 4, 6 ...

    resumed = trained(recipe, "resumed", resume_at=kept, save_every_steps=3)
    whole = trained(recipe, "whole")
    assert resumed.content == whole.content
    assert (tmp_path / "resumed" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()
    assert not list(kept.iterdir())
