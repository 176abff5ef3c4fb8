"""Several processes on one batch: each encodes a part of the photos, all of them see the whole batch's loss.

The losses compare photos across the batch, so they cannot be taken part by part and averaged. Every rank therefore
gathers all encodings and computes the same loss. Parameters behind the gathering (heads, decoder, what the objective
learns) then have the whole gradient on every rank, and averaging over ranks leaves it as it is. Parameters before it
(the encoder, the latent heads) have only what flows through the rank's own photos: that is counted once per rank
here, so that the average over ranks is the sum over photos.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed
from torch.autograd import Function
from torch.autograd.function import FunctionCtx


@dataclass(frozen=True)
class Ranks:
    """One of the processes that train together; alone by default."""

    rank: int = 0
    """This process among all, from 0; the first one writes."""
    world: int = 1
    """W, processes on all machines."""
    local_world: int = 1
    """Processes on this machine."""
    local_rank: int = 0
    """This process among those on this machine; on GPUs, the number of its GPU."""

    @classmethod
    def from_environment(cls) -> "Ranks":
        """As torchrun and Kubeflow's Trainer name them, RANK, WORLD_SIZE and so on; alone without them."""
        world = int(os.environ.get("WORLD_SIZE", "1"))
        here = int(os.environ.get("LOCAL_WORLD_SIZE", str(world)))
        return cls(int(os.environ.get("RANK", "0")), world, here, int(os.environ.get("LOCAL_RANK", "0")))

    def rows(self, count: int) -> NDArray[np.int64]:
        """The part of a batch of `count` photos that this rank encodes.

        All ranks get equally many, as gathering wants it: where they do not divide, the last ranks encode the first
        photos a second time, and `whole` drops those.
        """
        each = -(-count // self.world)
        return np.resize(np.arange(count), self.world * each).reshape(self.world, each)[self.rank]

    def whole(self, part: Tensor, count: int) -> Tensor:
        """(b, D) of this rank's rows to (B, D) of all `count` = B photos, in the batch's order."""
        return part if self.world == 1 else _Gathered.apply(part)[:count]


ALONE = Ranks()


class _Gathered(Function):
    """(b, D) of one rank to (W b, D) of all; backward, the own rows' gradient times W."""

    @staticmethod
    def forward(ctx: FunctionCtx, own: Tensor) -> Tensor:
        parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, own.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Any) -> Tensor:
        world, rank = distributed.get_world_size(), distributed.get_rank()
        return gradients[0].chunk(world)[rank] * world
