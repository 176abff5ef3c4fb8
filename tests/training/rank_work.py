"""What the processes of test_distributed do; apart, so that starting them imports little."""

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from lookalike.errors import TrainingError
from lookalike.storage import StageRecord
from lookalike.training.group import follow, joined, tell
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


def must_not_learn() -> None:
    raise AssertionError("nobody said that there is anything to learn")


def tell_what_is_there(folder: Path) -> None:
    """The first process finds an output made earlier; the others must not learn without it."""
    ranks = Ranks.from_environment()
    with joined(ranks):
        found = StageRecord("train", "inputs", "content", {"photos": 60}, 1.5, reused=True)
        record = follow(must_not_learn) if ranks.rank else tell(found)
    (folder / f"{ranks.rank}.json").write_text(json.dumps(asdict(record)))


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
