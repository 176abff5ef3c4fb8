"""API keys before everything else of REST: whoever has none costs no more than reading a head."""

from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lookalike.errors import LookalikeError
from serving.access.control import AccessControl, caller, presented_key
from serving.failures import failure

OPEN = ("/", "/health/live", "/health/ready", "/openapi.json", "/v2/health/live", "/v2/health/ready")
"""Paths for everybody: the page itself, its description, and what an orchestrator asks."""
OPEN_FOLDERS = ("/static/",)
FREE_FOLDERS = ("/photos/",)
"""Paths that ask for a key but take nothing of its quota: an answer brings two dozen photos with it, and how many are
made at once is bounded for all callers together."""
METRICS = "/metrics"


class KeyedRest:
    """ASGI middleware, inside what counts requests, so that refused ones are counted too."""

    def __init__(self, app: ASGIApp, access: AccessControl) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._access.asks or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            key = presented_key(headers.get("x-api-key"), headers.get("authorization"))
            name = self._access.admit(key, free=scope["path"].startswith(FREE_FOLDERS))
        except LookalikeError as error:
            told = failure(error)
            more = {"www-authenticate": "Bearer"} if told.http == HTTPStatus.UNAUTHORIZED else {}
            await JSONResponse({"error": told.sentence}, told.http, {**told.headers, **more})(scope, receive, send)
            return
        caller.set(name)
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        if path == METRICS:
            return self._access.settings.open_metrics
        return path in OPEN or path.startswith(OPEN_FOLDERS)
