"""The processes that torchrun, Kubeflow's Trainer or `launch` started: joining them, and what the first one says.

Only the first process reads states and writes the output. What the others must know goes to them as bytes, so they
need no view of the place where states are kept, and cannot read another state than the first one does.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta

import torch
from torch import distributed
from torch.distributed import DistError
from torch.distributed.elastic.multiprocessing.errors import get_error_handler

from lookalike.errors import LookalikeError, TrainingError
from lookalike.storage import StageRecord
from lookalike.training.ranks import Ranks

GRACE_SECONDS = 5.0
"""How long a process that lost another one waits to be ended, so that only the one that failed says why."""

PATIENCE = timedelta(hours=2)
"""How long one waits for another that does not answer: a new machine decodes all photos while the others wait."""

LEARN = b""
"""What the first process says before it learns; afterwards it says the record, which is never empty."""


@contextmanager
def joined(ranks: Ranks) -> Iterator[None]:
    """Be one of the processes, on GPUs over NCCL and on CPUs over gloo; nothing happens where there is only one.

    Raises TrainingError where another process was lost.
    """
    if ranks.world == 1 or distributed.is_initialized():
        yield
        return
    _require_fresh_stores()
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    try:
        yield
    except DistError as error:
        raise _lost(ranks) from error
    except RuntimeError as error:
        if "gloo" not in str(error):
            raise
        raise _lost(ranks) from error
    except LookalikeError as error:
        get_error_handler().record_exception(error)  # torchrun repeats it as the cause of the end
        raise
    distributed.destroy_process_group()  # after an error nobody would answer


def _require_fresh_stores() -> None:
    """A restarted group must not find the addresses of the one before: github.com/pytorch/pytorch/issues/135712."""
    shared = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    if shared and os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0") != "0":
        raise TrainingError(
            "with --max-restarts torchrun starts processes again on a store that has the addresses of those before: "
            "set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for torchrun and use its rendezvous c10d (or --standalone)"
        )


def _lost(ranks: Ranks) -> TrainingError:
    time.sleep(GRACE_SECONDS)
    return TrainingError(f"process {ranks.rank + 1} of {ranks.world} lost another one, which says why it ended")


def share(content: bytes | None) -> bytes:
    """What the first process gives here, in all of them; the others give None."""
    if not distributed.is_initialized():
        assert content is not None
        return content
    size = torch.tensor(len(content or b""))
    distributed.broadcast(size, src=0)
    carried = torch.empty(int(size), dtype=torch.uint8)
    if content:
        carried = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    if len(carried):
        distributed.broadcast(carried, src=0)
    return carried.numpy().tobytes()


def lead_to_learn() -> None:
    """Let the others begin with the first."""
    share(LEARN)


def tell(record: StageRecord) -> StageRecord:
    """Let the others end with the first, with its record."""
    share(json.dumps(asdict(record)).encode())
    return record


def follow(learn: Callable[[], object]) -> StageRecord:
    """Be one of the others: learn when the first one does, and return its record."""
    said = share(None)
    if said == LEARN:
        learn()
        said = share(None)
    return StageRecord(**json.loads(said))
