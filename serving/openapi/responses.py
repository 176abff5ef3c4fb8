"""What may come back, by the kind of question."""

from http import HTTPStatus
from typing import Any

from lookalike.client.answers import Failure

Responses = dict[int | str, dict[str, Any]]

_RETRY = {"Retry-After": {"description": "Seconds to wait before another try.", "schema": {"type": "integer"}}}
_WORDS: dict[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request is wrong; the sentence names the field and what is accepted.",
    HTTPStatus.UNAUTHORIZED: "The server asks for an API key, and the request has none that it knows.",
    HTTPStatus.NOT_FOUND: "The product, photo or model is not in the release in service.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is larger than this server takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is neither a form nor a photo.",
    HTTPStatus.TOO_MANY_REQUESTS: "More is asked at once, or with this API key, than this server takes.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A fault of the server's; its operator finds the reason in the log.",
    HTTPStatus.NOT_IMPLEMENTED: "Not offered by this server.",
    HTTPStatus.SERVICE_UNAVAILABLE: "No release is in service, or a part that this answer needs does not answer.",
    HTTPStatus.GATEWAY_TIMEOUT: "The answer was not there in time.",
}
_ALWAYS = (400, 401, 429, 500, 503, 504)


def failures(*statuses: int) -> Responses:
    """The responses of these failures and of those that any request may meet."""
    return {status: _failure(HTTPStatus(status)) for status in sorted({*statuses, *_ALWAYS})}


def _failure(status: HTTPStatus) -> dict[str, Any]:
    later = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    return {"description": _WORDS[status], "model": Failure, **({"headers": _RETRY} if later else {})}


def told(model: type, description: str) -> Responses:
    """The response of a success."""
    return {200: {"description": description, "model": model}}
