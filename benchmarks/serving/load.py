"""Closed-loop load: some clients, each asking again once it was answered, at once or after a pause."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

import numpy as np
from numpy.typing import NDArray

from benchmarks.serving.connection import Connection
from benchmarks.serving.service import Service


@dataclass(frozen=True)
class Load:
    """What the clients met in the counted part of a run."""

    milliseconds: list[float]
    """Of the answers with status 200."""
    failed: int
    seconds: float
    service_seconds: float
    """Processor time of the service."""
    client_seconds: float
    """Processor time of the clients."""

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    def quantile(self, share: float) -> float:
        return float(np.quantile(self.milliseconds, share))

    def interval(self, share: float, seed: int, blocks: int = 20) -> tuple[float, float]:
        """95 % interval of a quantile, by resampling stretches of the run: neighbouring answers are alike."""
        parts = np.array_split(np.array(self.milliseconds), blocks)
        random = np.random.default_rng(seed)
        draws = [
            np.quantile(np.concatenate([parts[i] for i in random.integers(blocks, size=blocks)]), share)
            for _ in range(500)
        ]
        low, high = np.quantile(draws, [0.025, 0.975])
        return float(low), float(high)


def closed_loop(
    service: Service,
    requests: Sequence[bytes],
    clients: int,
    seconds: float,
    warm_seconds: float,
    seed: int,
    think_seconds: float = 0.0,
) -> Load:
    """Ask for `seconds` after a warm-up; pauses are exponential with that mean."""
    start = time.monotonic() + warm_seconds

    def ask(client: int) -> tuple[list[float], int]:
        random = np.random.default_rng([seed, client])
        order = random.permutation(len(requests))
        asked, spent, failed = 0, list[float](), 0
        with Connection(service.http_port) as connection:
            while (began := time.monotonic()) < start + seconds:
                status = connection.ask(requests[order[asked % len(order)]]).status
                asked += 1
                if began >= start and status == HTTPStatus.OK:
                    spent.append(1_000 * (time.monotonic() - began))
                failed += status != HTTPStatus.OK
                if think_seconds:
                    time.sleep(random.exponential(think_seconds))
        return spent, failed

    with ThreadPoolExecutor(clients) as threads:
        asking = [threads.submit(ask, client) for client in range(clients)]
        time.sleep(warm_seconds)
        before = service.processor_seconds(), time.process_time(), time.monotonic()
        told = [one.result() for one in asking]
        return Load(
            [spent for each, _ in told for spent in each],
            sum(failed for _, failed in told),
            time.monotonic() - before[2],
            service.processor_seconds() - before[0],
            time.process_time() - before[1],
        )


def side_by_side_ratio(
    ours: NDArray[np.float64], floor: NDArray[np.float64], seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """The median over turns of ours ÷ floor, and its 95 % interval by resampling turns."""
    ratios = ours / floor
    draws = np.random.default_rng(seed).integers(len(ratios), size=(2_000, len(ratios)))
    low, high = np.quantile(np.median(ratios[draws], axis=1), [0.025, 0.975])
    return float(np.median(ratios)), (float(low), float(high))
