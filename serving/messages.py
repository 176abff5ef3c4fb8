"""Messages of gRPC that are no protobuf are the caller's mistake; gRPC itself would call them UNKNOWN and log each."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc import aio

from lookalike.errors import QueryError

UNREADABLE = object()
"""Stands for a message until the handler is asked, behind the interceptor that explains errors."""


class ReadableMessages(aio.ServerInterceptor):
    """The innermost interceptor."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        async def answer(request: Any, context: Any) -> Any:
            if request is UNREADABLE:
                raise QueryError("the message cannot be read; it is not a protobuf of this method's request")
            return await handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, _lenient(handler.request_deserializer), handler.response_serializer
        )


def _lenient(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def message_or_not(content: bytes) -> Any:
        try:
            return read(content)
        except DecodeError:
            return UNREADABLE

    return message_or_not
