"""What nobody foresaw becomes a plain 500, and the connection stays usable."""

import logging
from http import HTTPStatus

from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.failures import INTERNAL

logger = logging.getLogger(__name__)


class LastResort:
    """ASGI middleware. Starlette's own handler raises again after its answer; uvicorn then cuts the connection,
    and the client's next request on it fails for no fault of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            logger.debug("%s left before its request was whole", scope["path"])
        except Exception:
            if started or scope["type"] != "http":
                raise
            logger.exception("%s %s failed", scope["method"], scope["path"])
            await JSONResponse({"error": INTERNAL}, HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, send)
