"""A request that says it is too large is refused before its body is read, in the words of every other error."""

from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware. Starlette's own limit stands behind it for bodies that do not say how large they are."""

    def __init__(self, app: ASGIApp, request_bytes: int) -> None:
        self.app = app
        self.request_bytes = request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        promised = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if promised.isdecimal() and int(promised[:20]) > self.request_bytes:
            sentence = f"the request has {promised[:20]} bytes; at most {self.request_bytes} are accepted"
            refusal = JSONResponse({"error": sentence}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)
