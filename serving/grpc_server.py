"""KServe's v2 gRPC service on an explicit host, with the same errors as REST."""

import logging
from typing import Any, NoReturn

import grpc
from grpc import aio
from grpc_interceptor import AsyncExceptionToStatusInterceptor
from grpc_interceptor.server import AsyncServerInterceptor
from kserve.protocol.grpc import grpc_predict_v2_pb2 as v2
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from kserve.protocol.grpc.servicer import InferenceServicer

from lookalike.deadline import Deadline
from lookalike.errors import ConfigError
from serving.access.control import AccessControl
from serving.access.remote import KeyedCalls
from serving.dataplane import NoRepository, SearchDataPlane
from serving.failures import failure
from serving.grpc_watched import WatchedCalls
from serving.messages import ReadableMessages
from serving.overload import SearchQueue

logger = logging.getLogger(__name__)


class ExplainedErrors(AsyncExceptionToStatusInterceptor):
    """KServe's own interceptor fails on errors without a `reason`, such as a model that is not ready."""

    async def handle_exception(
        self, ex: Exception, request_or_iterator: Any, context: Any, method_name: str
    ) -> NoReturn:
        if isinstance(ex, aio.AbortError):
            raise ex
        told = failure(ex)
        if told.grpc == grpc.StatusCode.INTERNAL:
            logger.error("%s failed", method_name, exc_info=ex)
        if told.grpc == grpc.StatusCode.UNAVAILABLE:
            logger.warning("%s: %s", method_name, ex)  # with the address the caller is not told
        await context.abort(told.grpc, told.sentence, tuple(told.headers.items()))
        raise AssertionError("abort always raises")


class CallersPatience(AsyncServerInterceptor):
    """Every call ends with its caller's deadline; a search that would be late is refused before it is read.

    gRPC itself cancels the call of a client that goes away.
    """

    def __init__(self, queue: SearchQueue) -> None:
        self._queue = queue

    async def intercept(self, method: Any, request_or_iterator: Any, context: Any, method_name: str) -> Any:
        longest, asked = self._queue.settings.answer_seconds, context.time_remaining()
        deadline = Deadline.after(longest if asked is None else min(asked, longest))
        with deadline.in_force():
            if method_name.endswith("/ModelInfer"):
                self._queue.refuse_late(deadline)
            return await method(request_or_iterator, context)


class SearchServicer(InferenceServicer):
    """KServe's servicer; the metadata names the release as the model's version."""

    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        described = await self._data_plane.model_metadata(request.name)
        return v2.ModelMetadataResponse(**described)


def grpc_server(
    dataplane: SearchDataPlane,
    queue: SearchQueue,
    watched: WatchedCalls,
    access: AccessControl,
    host: str,
    port: int,
    request_bytes: int,
) -> tuple[aio.Server, int]:
    """A server that is not started yet, and its port. Call it on the event loop. Raises ConfigError."""
    server = aio.server(
        interceptors=(watched, ExplainedErrors(), KeyedCalls(access), CallersPatience(queue), ReadableMessages()),
        maximum_concurrent_rpcs=queue.settings.most_open,
        options=[
            ("grpc.max_receive_message_length", request_bytes),
            ("grpc.so_reuseport", 0),  # two servers on one port would share its requests by chance
        ],
    )
    servicer = SearchServicer(dataplane, NoRepository(dataplane.model_registry))
    add_GRPCInferenceServiceServicer_to_server(servicer, server)
    address = f"[{host}]" if ":" in host else host
    try:
        return server, server.add_insecure_port(f"{address}:{port}")
    except RuntimeError as error:
        raise ConfigError(f"cannot listen on {host}:{port} for gRPC; choose another port or host") from error
