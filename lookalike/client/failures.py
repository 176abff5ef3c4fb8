"""From what the service refuses to the errors the library itself raises: a caller handles both in one way."""

import math
from http import HTTPStatus
from typing import Any

import httpx

from lookalike.errors import (
    AccessDenied,
    BackendUnavailable,
    DeadlineExceeded,
    LookalikeError,
    NotFound,
    Overloaded,
    QueryError,
)

AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Refusals that another try may overcome; nothing was answered yet."""


def refusal(response: httpx.Response) -> LookalikeError:
    """The error of a response that is no success, in the service's words."""
    sentence, status = _sentence(response), response.status_code
    wait = retry_after_seconds(response)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(sentence)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(sentence)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Overloaded(sentence, wait or 0.0)
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        return DeadlineExceeded(sentence, told=sentence)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED:
        return BackendUnavailable(sentence, told=sentence, retry_after_seconds=wait)
    return QueryError(sentence)


def silence(url: str, error: httpx.TransportError) -> LookalikeError:
    """The error of a request that got no response."""
    if isinstance(error, httpx.TimeoutException):
        return DeadlineExceeded(f"the service at {url} did not answer in time")
    return BackendUnavailable(f"the service at {url} does not answer: {error}")


def retry_after_seconds(response: httpx.Response) -> float | None:
    """When the service says to come back, None where it does not."""
    text = response.headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:  # nothing, or a date, which this service never sends
        return None
    return seconds if 0 <= seconds < math.inf else None


def _sentence(response: httpx.Response) -> str:
    try:
        told: Any = response.json()
    except ValueError:
        told = None
    if isinstance(told, dict) and isinstance(told.get("error"), str):
        return told["error"]
    return f"{response.request.url} answered {response.status_code} {response.reason_phrase}"
