"""Every REST request counted, timed, logged and traced: one middleware, since each costs every request its time."""

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from opentelemetry.trace import Span
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.control import caller
from serving.logs import ACCESS
from serving.metrics import SearchMetrics
from serving.request_id import REQUEST_ID, known_request_id, request_id
from serving.traces import Tracing, trace_id

access = logging.getLogger(ACCESS)

QUIET = ("/metrics", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/static")
"""Routes that machines ask every few seconds: counted, but not worth a line."""


@dataclass
class Told:
    """What is known of a request's answer so far."""

    status: int = HTTPStatus.INTERNAL_SERVER_ERROR


class Watched:
    """ASGI middleware. Answers carry the request's id: the caller's own where it is a plain one, else a new one."""

    def __init__(self, app: ASGIApp, metrics: SearchMetrics, tracing: Tracing | None) -> None:
        self.app = app
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, told, started = Headers(scope=scope), Told(), time.perf_counter()
        known = known_request_id(headers.get(REQUEST_ID))
        request_id.set(known)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (REQUEST_ID.encode(), known.encode())]
            await send(message)

        with self._span(scope, headers) as span:
            try:
                await self.app(scope, receive, named)
            finally:
                self._tell(scope, told, time.perf_counter() - started, known, span)

    def _span(self, scope: Scope, headers: Headers) -> AbstractContextManager[Span | None]:
        return nullcontext() if self._tracing is None else self._tracing.request(scope["method"], headers)

    def _tell(self, scope: Scope, told: Told, seconds: float, known: str, span: Span | None) -> None:
        route = route_of(scope)
        self._metrics.requested("rest", route, int(told.status), seconds)
        fields: dict[str, Any] = {"method": scope["method"], "route": route, "status": int(told.status)}
        if span is not None:
            span.update_name(f"{scope['method']} {route}")
            span.set_attributes({"http.route": route, "http.response.status_code": int(told.status)})
            fields["trace_id"] = trace_id(span)
        if told.status != HTTPStatus.TOO_MANY_REQUESTS and not route.startswith(QUIET):  # a flood is counted, not told
            fields |= {"duration_seconds": round(seconds, 6), "request_id": known}
            fields |= {} if caller.get() is None else {"caller": caller.get()}
            access.info("%s %s %d in %.1f ms", fields["method"], route, told.status, 1000 * seconds, extra=fields)


def route_of(scope: Scope) -> str:
    """The route as it was declared: a path may hold a stranger's words, and a label per product would be too many."""
    route = scope.get("route")  # FastAPI's own routes say who they are, Starlette's only whom they call
    if route is None and "endpoint" in scope:
        route = next(
            (each for each in scope["app"].routes if getattr(each, "endpoint", None) is scope["endpoint"]), None
        )
    return str(getattr(route, "path", "unknown"))
