"""Every gRPC call counted, timed, logged and traced, as REST requests are."""

import logging
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import grpc
from grpc_interceptor.server import AsyncServerInterceptor
from opentelemetry.trace import Span

from serving.access.control import caller
from serving.logs import ACCESS
from serving.metrics import SearchMetrics
from serving.request_id import REQUEST_ID, known_request_id, request_id
from serving.traces import Tracing, trace_id

access = logging.getLogger(ACCESS)

QUIET = ("ServerLive", "ServerReady", "ModelReady")
"""Calls that machines make every few seconds: counted, but not worth a line."""


class WatchedCalls(AsyncServerInterceptor):
    """The outermost interceptor: it sees the status that the caller sees."""

    def __init__(self, metrics: SearchMetrics, tracing: Tracing | None) -> None:
        self._metrics = metrics
        self._tracing = tracing

    async def intercept(self, method: Any, request_or_iterator: Any, context: Any, method_name: str) -> Any:
        started, route = time.perf_counter(), method_name.rsplit("/", 1)[-1]
        headers = {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}
        known = known_request_id(headers.get(REQUEST_ID))
        request_id.set(known)
        await context.send_initial_metadata(((REQUEST_ID, known),))
        with self._span(method_name, headers) as span:
            try:
                return await method(request_or_iterator, context)
            finally:
                self._tell(route, _status(context), time.perf_counter() - started, known, span)

    def _span(self, name: str, headers: dict[str, str]) -> AbstractContextManager[Span | None]:
        return nullcontext() if self._tracing is None else self._tracing.request(name.lstrip("/"), headers)

    def _tell(self, route: str, status: str, seconds: float, known: str, span: Span | None) -> None:
        self._metrics.requested("grpc", route, status, seconds)
        fields: dict[str, Any] = {"method": "gRPC", "route": route, "status": status}
        fields |= {"duration_seconds": round(seconds, 6), "request_id": known}
        fields |= {} if caller.get() is None else {"caller": caller.get()}
        if span is not None:
            span.set_attributes({"rpc.method": route, "rpc.response.status_code": status})
            fields["trace_id"] = trace_id(span)
        if route not in QUIET:
            access.info("gRPC %s %s in %.1f ms", route, status, 1000 * seconds, extra=fields)


def _status(context: Any) -> str:
    """The name of the status that was set; a call that set none went well."""
    code = context.code()
    return grpc.StatusCode.OK.name if code in (None, 0) else getattr(code, "name", str(code))
