"""What may happen to a service in an hour: every part of it killed, stopped or slow, and clients that misbehave."""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import psutil

from benchmarks.serving.connection import LOOPBACK, photo_request
from benchmarks.serving.parts import Parts, let_pass, locked, stopped
from benchmarks.serving.plan import Plan
from benchmarks.serving.service import Service
from benchmarks.serving.shop import Shop
from lookalike.errors import BackendUnavailable
from lookalike.index.milvus import MilvusIndex
from lookalike.release.promote import rollback

SLOW_CLIENTS = 40
DISCONNECTS = 100
PATIENCE_SECONDS = 30.0
DRIPS = 10
"""Pieces a slow client's photo comes in."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong."""

    name: str
    strike: Callable[[], None]
    """Returns once the fault itself is over; what is not well by then, the service has to heal."""


def faults(plan: Plan, shop: Shop, service: Service, parts: Parts, photo: bytes) -> list[Fault]:
    """Every fault there is, those of Triton only where there is one."""
    lasts, request = plan.study.fault_lasts, photo_request(photo, plan.study.k)
    found = [
        Fault("release switched", lambda: _switch(shop, parts)),
        Fault("Milvus stopped", lambda: _during(stopped(_milvus(parts)), lasts)),
        Fault("feature store locked", lambda: _during(locked(parts.online_store), lasts)),
        Fault("slow clients", lambda: _slow_clients(service, request, lasts)),
        Fault("Milvus killed", lambda: _kill_milvus(parts, lasts)),
        Fault("clients that hang up", lambda: _hang_up(service, request)),
    ]
    if parts.triton is None:
        return found
    return [
        Fault("Triton's workers killed", lambda: _kill_stubs(parts)),
        found[0],
        Fault("Triton killed", lambda: parts.triton_server().kill()),
        found[1],
        Fault("Triton stopped", lambda: _during(stopped(parts.triton_server()), lasts)),
        *found[2:],
    ]


def _during(fault: AbstractContextManager[None], seconds: float) -> None:
    with fault:
        let_pass(seconds)


def _milvus(parts: Parts) -> psutil.Process:
    assert parts.milvus.process is not None
    return psutil.Process(parts.milvus.process.pid)


def _kill_milvus(parts: Parts, lasts: float) -> None:
    parts.milvus.kill()
    let_pass(lasts)
    parts.milvus.start()


def _kill_stubs(parts: Parts) -> None:
    for stub in parts.stubs():
        stub.kill()


def _switch(shop: Shop, parts: Parts) -> None:
    """As an operator would: once more where Milvus is not quite there yet."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with MilvusIndex(parts.milvus.uri) as index:
                rollback(shop.workspace.releases, index)
            return
        except BackendUnavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _slow_clients(service: Service, request: bytes, lasts: float) -> None:
    """Each sends its photo drop by drop, and never the end of it."""
    size = len(request) // (DRIPS + 1)
    with ExitStack() as connections:
        clients = [
            connections.enter_context(socket.create_connection((LOOPBACK, service.http_port)))
            for _ in range(SLOW_CLIENTS)
        ]
        for drip in range(DRIPS):
            for client in clients:
                client.sendall(request[drip * size : (drip + 1) * size])
            time.sleep(lasts / DRIPS)


def _hang_up(service: Service, request: bytes) -> None:
    """Each asks and does not wait for the answer."""
    for _ in range(DISCONNECTS):
        with socket.create_connection((LOOPBACK, service.http_port)) as client:
            client.sendall(request)
