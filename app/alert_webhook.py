"""Alertmanager's webhook: a delivery is kept, and a firing alert starts one watch, however often it is repeated."""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lookalike.config import parse_config
from lookalike.errors import AccessDenied, BackendUnavailable, ConfigError, LookalikeError
from monitoring.alerts import Delivery, keep_delivery
from monitoring.runs.protocol import RunRequest, Trigger
from serving.access.control import presented_key
from serving.access.keys import Keys
from serving.body_limit import BodyLimit

log = logging.getLogger(__name__)
MOST_BYTES = 256 * 1024
"""A delivery of some hundred alerts; Alertmanager's `max_alerts` bounds its own."""
STATUS = {
    AccessDenied: HTTPStatus.UNAUTHORIZED,
    ConfigError: HTTPStatus.BAD_REQUEST,
    BackendUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,  # Alertmanager tries again on its own
}


@dataclass(frozen=True)
class Webhook:
    """What a delivery is answered with."""

    keys: Keys
    alerts: Path
    """Folder that deliveries are kept in."""
    runs: Trigger
    arguments: Mapping[str, Any]
    """Of the watch pipeline."""
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, body: bytes) -> str | None:
        """Keep a delivery and start its watch; returns the run's id, None where nothing fires. Raises LookalikeError.

        The watch decides as every other does: once per drift episode, whatever the number of alerts.
        """
        delivery = parse_config(Delivery, _json(body), "the delivery")
        with self._alone:  # finding a name and starting it is one step
            keep_delivery(self.alerts, delivery, datetime.now(UTC))
            if delivery.watch is None:
                return None
            return self.runs.start(RunRequest(delivery.watch, "watch", self.arguments))


def webhook_application(webhook: Webhook) -> Starlette:
    """POST /alerts with a key; GET /health for everybody."""

    async def alerts(request: Request) -> Response:
        try:
            name = webhook.keys.holder(
                presented_key(request.headers.get("x-api-key"), request.headers.get("authorization"))
            )
            run = await run_in_threadpool(webhook.receive, await request.body())
        except LookalikeError as error:
            return _refusal(error)
        log.info("a delivery from %s: %s", name, f"watch {run}" if run else "nothing fires")
        return JSONResponse({"run": run})

    async def health(request: Request) -> Response:
        return JSONResponse({"listening": True})

    routes = [Route("/alerts", alerts, methods=["POST"]), Route("/health", health)]
    limits = [
        Middleware(BodyLimit, request_bytes=MOST_BYTES),
        Middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BYTES),
    ]
    return Starlette(routes=routes, middleware=limits)


def _refusal(error: LookalikeError) -> Response:
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), None)
    if status is None or status == HTTPStatus.SERVICE_UNAVAILABLE:
        log.error("no watch was started: %s", error)  # with addresses and paths the caller is not told
        status = status or HTTPStatus.INTERNAL_SERVER_ERROR
        return JSONResponse({"error": "the watch could not be started; the log says why"}, status)
    more = {"www-authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return JSONResponse({"error": str(error)}, status, more)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError("the delivery is not JSON") from error
