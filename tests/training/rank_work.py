"""What the processes of test_distributed do; apart, so that starting them imports little."""

import os
import signal
from pathlib import Path

import numpy as np
import torch

from lookalike.errors import TrainingError
from lookalike.training.ranks import Ranks


def gather_and_differentiate(folder: Path) -> None:
    """What DDP does for a parameter before the gathering: the average over ranks of d(loss)/d(weight)."""
    ranks = Ranks.from_environment()
    torch.distributed.init_process_group("gloo")
    vectors, weight = example()
    own = vectors[ranks.rows(len(vectors))] @ weight
    pairwise(ranks.whole(own, len(vectors))).backward()
    torch.distributed.all_reduce(weight.grad)
    np.save(folder / f"{ranks.rank}.npy", (weight.grad / ranks.world).numpy())


def example() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    return vectors, torch.randn(3, 2, generator=generator, dtype=torch.float64).requires_grad_()


def pairwise(embeddings: torch.Tensor) -> torch.Tensor:
    return (embeddings @ embeddings.T).exp().logsumexp(dim=1).sum()


def fail_on_the_second(folder: Path) -> None:
    (folder / f"{os.getpid()}").touch()
    rank = Ranks.from_environment().rank
    torch.distributed.init_process_group("gloo")
    if rank == 1:
        raise TrainingError("the second one cannot go on")
    torch.distributed.barrier()  # would wait for ever


def die_on_the_second(folder: Path) -> None:
    (folder / f"{os.getpid()}").touch()
    if Ranks.from_environment().rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    torch.distributed.init_process_group("gloo")
