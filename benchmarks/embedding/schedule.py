"""Many runs in a few single-threaded processes; one that fails is reported and does not stop the others."""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TypeVar

from filelock import FileLock
from rich.console import Console

Task = TypeVar("Task")


def run_all(work: Callable[[Task], str], tasks: Sequence[Task], processes: int, logs: Path) -> list[str]:
    """Do `work` for every task in order, printing its sentence as each ends. Returns the sentences of failures.

    Processes write their progress to files under `logs`. They end when this one ends.
    """
    console, started = Console(), time.monotonic()
    logs.mkdir(parents=True, exist_ok=True)
    failures = []
    spawn = multiprocessing.get_context("spawn")  # a fork of a process that has used threads may hang
    with ProcessPoolExecutor(processes, spawn, _start, (logs,)) as pool:
        running = {pool.submit(work, task): task for task in tasks}
        for place, done in enumerate(as_completed(running), 1):
            told, failed = _outcome(done, running[done])
            failures += [told] if failed else []
            minutes = (time.monotonic() - started) / 60
            console.print(f"{place}/{len(tasks)} {minutes:5.1f} min  {told}", highlight=False, soft_wrap=True)
    return failures


def alone(output: Path) -> FileLock:
    """Held while a folder that several runs share is made."""
    output.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(output.with_name(f".{output.name}.lock"))


def _outcome(done: Future[str], task: object) -> tuple[str, bool]:
    """What a finished task has to say, and whether it failed; a fault of ours is told in full in the log."""
    error = done.exception()
    return (done.result(), False) if error is None else (f"{task} FAILED: {type(error).__name__}: {error}", True)


def _start(logs: Path) -> None:
    """In each process, before its first task."""
    import torch
    from threadpoolctl import threadpool_limits

    log = (logs / f"process_{os.getpid()}.log").open("a", encoding="utf-8")
    os.dup2(log.fileno(), sys.stderr.fileno())  # progress bars and warnings of libraries too
    threadpool_limits(1)
    torch.set_num_threads(1)  # several runs side by side use the cores better than one run with several threads
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the process that started this one, even when it was killed: finished runs are kept, others resume."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
