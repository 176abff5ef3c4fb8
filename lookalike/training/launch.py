"""Processes that train together on this machine, in the environment torchrun would give them."""

import os
import re
from collections.abc import Callable
from typing import TypeVar

import torch
from lightning.fabric.plugins.environments.lightning import find_free_network_port
from torch import distributed
from torch.multiprocessing.spawn import ProcessException, start_processes

from lookalike.errors import TrainingError
from lookalike.training.group import GRACE_SECONDS
from lookalike.training.recipe import Recipe

Job = TypeVar("Job")
OUR_ERROR = re.compile(rf"^{re.escape(TrainingError.__module__)}\.\w+: ")
"""What a traceback's last line begins with where the sentence behind it says all."""


def launch(processes: int, work: Callable[[Job], object], job: Job) -> None:
    """Run `work(job)` in so many processes, both picklable, and wait for all.

    Raises TrainingError as soon as one of them fails; none is left running.
    """
    context = start_processes(_process, (processes, find_free_network_port(), work, job), processes, join=False)
    assert context is not None
    try:
        while not context.join(grace_period=GRACE_SECONDS):
            pass
    except ProcessException as error:
        reason = OUR_ERROR.sub("", error.msg.strip().splitlines()[-1])
        raise TrainingError(f"training process {error.error_index + 1} of {processes} failed: {reason}") from error


def processes_here(recipe: Recipe) -> int:
    """One for each GPU of this machine, and one where a recipe uses none or needs a batch's whole statistics."""
    several = recipe.device in ("auto", "gpu", "cuda") and recipe.encoder.batch_norm == "frozen"
    return max(1, torch.cuda.device_count()) if several else 1


def _process(rank: int, processes: int, port: int, work: Callable[[Job], object], job: Job) -> None:
    places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
    os.environ |= {name: str(value) for name, value in places.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(max(1, torch.get_num_threads() // processes))  # the cores are shared, not fought over
    work(job)
    if distributed.is_initialized():
        distributed.destroy_process_group()
