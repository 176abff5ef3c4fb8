"""Open-loop load: questions come when they come, whether earlier ones were answered or not."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import numpy as np
import uvloop

from benchmarks.serving.connection import HEAD_END, LOOPBACK, read_head
from benchmarks.serving.service import Service

PATIENCE_SECONDS = 20.0
"""How long after the last question answers are still waited for."""


@dataclass
class Arrivals:
    """What became of the questions of the counted part of a run."""

    asked: int = 0
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    """HTTP's numbers, and `lost` where the connection was."""
    good: list[float] = field(default_factory=list)
    """Milliseconds of the answers with status 200."""
    refused: list[float] = field(default_factory=list)
    """Milliseconds until a question was refused."""
    behind: list[float] = field(default_factory=list)
    """Milliseconds by which questions left late: the client's own queue."""
    service_seconds: float = 0.0
    client_seconds: float = 0.0

    def goodput(self, deadline_seconds: float) -> float:
        """Answers per second that came within the deadline."""
        return sum(spent <= 1_000 * deadline_seconds for spent in self.good) / self.seconds


def open_loop(
    service: Service, requests: Sequence[bytes], per_second: float, seconds: float, warm_seconds: float, seed: int
) -> Arrivals:
    """Ask at random moments, `per_second` in the mean, for `seconds` after a warm-up at the same rate."""
    random = np.random.default_rng(seed)
    count = round(per_second * (seconds + warm_seconds))
    moments = np.cumsum(random.exponential(1 / per_second, count))
    order = random.integers(len(requests), size=count)
    return uvloop.run(_Run(service, [requests[row] for row in order], moments.tolist(), warm_seconds).run())


class _Run:
    """One run; connections are kept, and as many are opened as questions are open at once."""

    def __init__(self, service: Service, requests: list[bytes], moments: list[float], warm_seconds: float) -> None:
        self._service, self._requests, self._moments, self._warm = service, requests, moments, warm_seconds
        self._idle: deque[_Pipe] = deque()
        self._open = 0
        self._arrivals = Arrivals()

    async def run(self) -> Arrivals:
        start, arrivals = time.monotonic(), self._arrivals
        before: tuple[float, float, float] | None = None
        for moment, request in zip(self._moments, self._requests, strict=True):
            while (early := start + moment - time.monotonic()) > 0:
                await asyncio.sleep(early)
            if before is None and moment >= self._warm:
                before = self._service.processor_seconds(), time.process_time(), time.monotonic()
            await self._ask(request, start + moment, counted=moment >= self._warm)
        assert before is not None  # the run is longer than its warm-up
        arrivals.seconds = time.monotonic() - before[2]
        arrivals.service_seconds = self._service.processor_seconds() - before[0]
        arrivals.client_seconds = time.process_time() - before[1]
        await self._finish()
        return arrivals

    async def _ask(self, request: bytes, due: float, counted: bool) -> None:
        try:
            pipe = self._idle.popleft() if self._idle else await self._connected()
        except OSError:
            self._count("lost", due, counted)
            return
        self._open += 1
        pipe.ask(request, due, counted)

    async def _connected(self) -> "_Pipe":
        loop = asyncio.get_running_loop()
        _, pipe = await loop.create_connection(lambda: _Pipe(self), LOOPBACK, self._service.http_port)
        return pipe

    async def _finish(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while self._open and time.monotonic() < end:
            await asyncio.sleep(0.01)
        self._arrivals.statuses["unanswered"] += self._open
        self._arrivals.asked += self._open
        for pipe in self._idle:
            pipe.close()

    def answered(self, pipe: "_Pipe", status: str, due: float, counted: bool) -> None:
        """A question has its answer; the connection may ask again unless it was lost."""
        self._open -= 1
        if status != "lost":
            self._idle.append(pipe)
        self._count(status, due, counted)

    def _count(self, status: str, due: float, counted: bool) -> None:
        if not counted:
            return
        arrivals, spent = self._arrivals, 1_000 * (time.monotonic() - due)
        arrivals.asked += 1
        arrivals.statuses[status] += 1
        (arrivals.good if status == str(HTTPStatus.OK.value) else arrivals.refused).append(spent)


class _Pipe(asyncio.Protocol):
    """One connection; it waits for one answer at a time."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""
        self._waiting: tuple[float, bool] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by descent

    def ask(self, request: bytes, due: float, counted: bool) -> None:
        assert self._transport is not None
        if counted:
            self._run._arrivals.behind.append(1_000 * (time.monotonic() - due))
        self._waiting = (due, counted)
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(HEAD_END)
        if end < 0 or self._waiting is None:
            return
        status, length = read_head(self._received[:end])
        if len(self._received) >= end + len(HEAD_END) + length:
            self._received = b""
            self._told(str(status))

    def connection_lost(self, failure: Exception | None) -> None:
        if self._waiting is not None:
            self._told("lost")
        elif self in self._run._idle:
            self._run._idle.remove(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _told(self, status: str) -> None:
        assert self._waiting is not None
        waiting, self._waiting = self._waiting, None
        self._run.answered(self, status, *waiting)
