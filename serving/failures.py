"""One table from deliberate errors to HTTP and gRPC statuses; what is not in it stays inside."""

from dataclasses import dataclass
from http import HTTPStatus

import grpc
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady

from lookalike.errors import BackendUnavailable, ImageError, QueryError, ReleaseMismatch

INTERNAL = "the search failed; its operator finds the reason in the log"


@dataclass(frozen=True)
class Failure:
    """What a caller is told."""

    http: HTTPStatus
    grpc: grpc.StatusCode
    sentence: str


def failure(error: Exception) -> Failure:
    """The caller's mistakes and outages with their sentence, everything else without internals."""
    if isinstance(error, QueryError | ImageError | InvalidInput):
        return Failure(HTTPStatus.BAD_REQUEST, grpc.StatusCode.INVALID_ARGUMENT, str(error))
    if isinstance(error, BackendUnavailable | ReleaseMismatch | ModelNotReady | ServerNotReady):
        return Failure(HTTPStatus.SERVICE_UNAVAILABLE, grpc.StatusCode.UNAVAILABLE, str(error))
    if isinstance(error, ModelNotFound):
        return Failure(HTTPStatus.NOT_FOUND, grpc.StatusCode.NOT_FOUND, str(error))
    if isinstance(error, NotImplementedError):
        return Failure(HTTPStatus.NOT_IMPLEMENTED, grpc.StatusCode.UNIMPLEMENTED, str(error) or "not offered here")
    return Failure(HTTPStatus.INTERNAL_SERVER_ERROR, grpc.StatusCode.INTERNAL, INTERNAL)
