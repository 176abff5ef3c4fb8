"""Refusing at the door: before a request is a task, let alone a call of the application.

Under a flood most requests are refused, and what that costs is taken from the answers to the others. uvicorn begins a
task once the head of a request is read; here the queue is asked before that, and a refusal goes straight to the
connection.
"""

import asyncio
from functools import partial
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from lookalike.errors import Overloaded, QueryError
from serving.failures import failure
from serving.metrics import SearchMetrics
from serving.overload import SearchQueue
from serving.patience import TIMEOUT, WITH_A_BODY, caller_deadline
from serving.request_id import REQUEST_ID, known_request_id

ROUTE = "refused at the door"
"""What such requests are counted under: nobody has looked for their route yet."""


class DoorProtocol(HttpToolsProtocol):
    """One connection. What is refused here is what `Patience` would refuse, in the same words."""

    def __init__(self, *given: Any, queue: SearchQueue, metrics: SearchMetrics, **named: Any) -> None:
        super().__init__(*given, **named)
        self._queue = queue
        self._metrics = metrics

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        refusal = self._refusal(cycle)
        if refusal is None:
            super()._start_asgi_task(cycle, app)
        else:
            self._refuse(cycle, refusal)

    def _refusal(self, cycle: RequestResponseCycle) -> Overloaded | None:
        if cycle.scope["method"] not in WITH_A_BODY:
            return None
        try:
            deadline = caller_deadline(_header(cycle, TIMEOUT), self._queue.settings.answer_seconds)
            self._queue.refuse_late(deadline)
        except Overloaded as refusal:
            return refusal
        except QueryError:  # the application says what is wrong with it
            return None
        return None

    def _refuse(self, cycle: RequestResponseCycle, refusal: Overloaded) -> None:
        told = failure(refusal)
        body = orjson.dumps({"error": told.sentence})
        headers = {
            **told.headers,
            REQUEST_ID: known_request_id(_header(cycle, REQUEST_ID)),
            "content-type": "application/json",
            "content-length": str(len(body)),
            **({} if cycle.keep_alive else {"connection": "close"}),
        }
        lines = [f"HTTP/1.1 {told.http.value} {told.http.phrase}".encode()]
        lines += [name + b": " + value for name, value in cycle.default_headers]
        lines += [f"{name}: {value}".encode() for name, value in headers.items()]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        cycle.response_started = cycle.response_complete = True  # what follows of the body is read and forgotten
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()
        self._metrics.requested("rest", ROUTE, told.http.value, 0.0)


def door(queue: SearchQueue, metrics: SearchMetrics) -> type[asyncio.Protocol]:
    """What uvicorn makes for every connection."""
    return cast(type[asyncio.Protocol], partial(DoorProtocol, queue=queue, metrics=metrics))


def _header(cycle: RequestResponseCycle, name: str) -> str | None:
    wanted = name.encode()
    return next((value.decode("latin-1") for known, value in cycle.scope["headers"] if known == wanted), None)
