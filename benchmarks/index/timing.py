"""Clocks and what they say: one core, two ways side by side, one query after another.

Searches in process are timed by the processor time of the whole process: on one core of an idle machine that is the
time that passes, and where the machine does other work as well, that work is not counted.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Ask = Callable[[NDArray[np.float32]], object]
"""Answers (Q, D) queries in one call."""
RESAMPLES = 2_000


@dataclass(frozen=True)
class Rates:
    """Queries per second of two ways to ask the same, turn by turn."""

    ours: NDArray[np.float64]  # (R,)
    raw: NDArray[np.float64]  # (R,)

    @property
    def ratio(self) -> float:
        """Median over turns of ours ÷ raw."""
        return float(np.median(self.ours / self.raw))

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 %, by resampling turns."""
        ratios = self.ours / self.raw
        draws = np.random.default_rng(seed).integers(len(ratios), size=(RESAMPLES, len(ratios)))
        low, high = np.quantile(np.median(ratios[draws], axis=1), [0.025, 0.975])
        return float(low), float(high)


@contextmanager
def one_core() -> Iterator[None]:
    """This process on one core, and every library in it on one thread."""
    allowed, threads = os.sched_getaffinity(0), faiss.omp_get_max_threads()
    os.sched_setaffinity(0, {max(allowed)})
    faiss.omp_set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        os.sched_setaffinity(0, allowed)
        faiss.omp_set_num_threads(threads)


def side_by_side(ours: Ask, raw: Ask, queries: NDArray[np.float32], batch: int, rounds: int) -> Rates:
    """Each turn asks all queries both ways, call by call, the first alternating; both are warmed up before.

    Other work on the machine comes and goes within a turn, and so meets both. The two calls of a pair ask different
    queries: the second would find what the first looked at in the processor's cache.
    """
    parts = _parts(queries, batch)
    turned = parts[len(parts) // 2 :] + parts[: len(parts) // 2]
    for ask in (ours, raw):
        per_second(ask, queries, batch)
    spent: dict[Ask, list[float]] = {ours: [], raw: []}
    for turn in range(rounds):
        seconds = {ours: 0.0, raw: 0.0}
        for number, (one, other) in enumerate(zip(parts, turned, strict=True)):
            for ask, part in ((ours, one), (raw, other))[:: 1 if (turn + number) % 2 else -1]:
                started = time.process_time()
                ask(part)
                seconds[ask] += time.process_time() - started
        for ask, each in seconds.items():
            spent[ask].append(each)
    return Rates(len(queries) / np.array(spent[ours]), len(queries) / np.array(spent[raw]))


def per_second(ask: Ask, queries: NDArray[np.float32], batch: int) -> float:
    """Queries per second, `batch` in a call."""
    parts = _parts(queries, batch)
    started = time.process_time()
    for part in parts:
        ask(part)
    return len(queries) / (time.process_time() - started)


def _parts(queries: NDArray[np.float32], batch: int) -> list[NDArray[np.float32]]:
    return [queries[start : start + batch] for start in range(0, len(queries), batch)]


def milliseconds(ask: Ask, queries: NDArray[np.float32], warm: int = 10) -> NDArray[np.float64]:
    """(Q,) how long each query takes, asked alone."""
    for query in queries[:warm]:
        ask(query[np.newaxis])
    spent = []
    for query in queries:
        started = time.process_time()
        ask(query[np.newaxis])
        spent.append(1_000 * (time.process_time() - started))
    return np.array(spent)
