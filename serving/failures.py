"""One table from deliberate errors to HTTP and gRPC statuses; what is not in it stays inside."""

from dataclasses import dataclass
from http import HTTPStatus
from math import ceil

import grpc
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady

from lookalike.errors import (
    AccessDenied,
    BackendUnavailable,
    DeadlineExceeded,
    ImageError,
    NotFound,
    Overloaded,
    QueryError,
    ReleaseMismatch,
)

INTERNAL = "the search failed; its operator finds the reason in the log"


@dataclass(frozen=True)
class Failure:
    """What a caller is told."""

    http: HTTPStatus
    grpc: grpc.StatusCode
    sentence: str
    retry_after_seconds: float | None = None
    """When to try again, where that is known."""

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After in whole seconds, as HTTP and gRPC metadata carry it."""
        return {} if self.retry_after_seconds is None else {"retry-after": str(max(1, ceil(self.retry_after_seconds)))}


def failure(error: Exception) -> Failure:
    """The caller's mistakes with their sentence, outages without addresses, everything else without internals."""
    if isinstance(error, NotFound):
        return Failure(HTTPStatus.NOT_FOUND, grpc.StatusCode.NOT_FOUND, str(error))
    if isinstance(error, QueryError | ImageError | InvalidInput):
        return Failure(HTTPStatus.BAD_REQUEST, grpc.StatusCode.INVALID_ARGUMENT, str(error))
    if isinstance(error, AccessDenied):
        return Failure(HTTPStatus.UNAUTHORIZED, grpc.StatusCode.UNAUTHENTICATED, str(error))
    if isinstance(error, Overloaded):
        return Failure(
            HTTPStatus.TOO_MANY_REQUESTS, grpc.StatusCode.RESOURCE_EXHAUSTED, str(error), error.retry_after_seconds
        )
    if isinstance(error, DeadlineExceeded):
        return Failure(HTTPStatus.GATEWAY_TIMEOUT, grpc.StatusCode.DEADLINE_EXCEEDED, error.told)
    if isinstance(error, BackendUnavailable):
        return Failure(
            HTTPStatus.SERVICE_UNAVAILABLE, grpc.StatusCode.UNAVAILABLE, error.told, error.retry_after_seconds
        )
    if isinstance(error, ReleaseMismatch | ModelNotReady | ServerNotReady):
        return Failure(HTTPStatus.SERVICE_UNAVAILABLE, grpc.StatusCode.UNAVAILABLE, str(error))
    if isinstance(error, ModelNotFound):
        return Failure(HTTPStatus.NOT_FOUND, grpc.StatusCode.NOT_FOUND, str(error))
    if isinstance(error, NotImplementedError):
        return Failure(HTTPStatus.NOT_IMPLEMENTED, grpc.StatusCode.UNIMPLEMENTED, str(error) or "not offered here")
    return Failure(HTTPStatus.INTERNAL_SERVER_ERROR, grpc.StatusCode.INTERNAL, INTERNAL)
