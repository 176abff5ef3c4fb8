"""KServe's v1 and v2 REST routes on an application of our own: explicit host, size limit, errors in words."""

import contextlib
import logging
import socket
from collections.abc import Iterator
from functools import cache, partial
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady
from kserve.protocol.rest.v1_endpoints import register_v1_endpoints
from kserve.protocol.rest.v2_endpoints import register_v2_endpoints
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from lookalike import __version__
from lookalike.errors import ConfigError, LookalikeError, QueryError
from serving.access.control import AccessControl
from serving.access.rest import KeyedRest
from serving.body_limit import BodyLimit
from serving.dataplane import NoRepository, SearchDataPlane
from serving.door import door
from serving.failures import failure
from serving.feedback_log import FeedbackLog
from serving.last_resort import LastResort
from serving.metrics import SearchMetrics
from serving.model import SearchModel
from serving.openapi.document import describe
from serving.patience import Patience
from serving.photos.shop_photos import ShopPhotos
from serving.routes.feedback import feedback_routes
from serving.routes.health import health_routes
from serving.routes.products import photo_routes, product_routes
from serving.routes.protocols import protocol_routes
from serving.routes.searching import searching_routes
from serving.settings import ServingSettings
from serving.traces import Tracing
from serving.watched import Watched
from serving.web.page import web_page

logger = logging.getLogger(__name__)

EXPLAINED = (LookalikeError, InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady, NotImplementedError)

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open: longer than the usual minute of a load balancer's, which else sends a request
into a connection just closed."""


def rest_application(
    dataplane: SearchDataPlane,
    model: SearchModel,
    photos: ShopPhotos,
    metrics: SearchMetrics,
    tracing: Tracing | None,
    access: AccessControl,
    feedback: FeedbackLog | None,
    request_bytes: int,
) -> FastAPI:
    """The REST side of the server; one application per server, where KServe shares a global one."""
    app = FastAPI(title="Lookalike", version=__version__, docs_url=None, redoc_url=None)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=request_bytes)
    app.add_middleware(BodyLimit, request_bytes=request_bytes)
    app.add_middleware(LastResort)
    app.add_middleware(Patience, queue=model.queue)
    app.add_middleware(KeyedRest, access=access)
    app.add_middleware(Watched, metrics=metrics, tracing=tracing)
    app.add_api_route("/metrics", metrics.endpoint, operation_id="metrics", response_class=PlainTextResponse)
    for routes in (searching_routes, product_routes, health_routes):
        app.include_router(routes(model))
    app.include_router(photo_routes(photos))
    app.include_router(feedback_routes(feedback))
    app.include_router(web_page(photos.settings.origins))
    protocol_routes(app, dataplane)
    register_v1_endpoints(app, dataplane, NoRepository(dataplane.model_registry))
    register_v2_endpoints(app, dataplane, NoRepository(dataplane.model_registry))
    app.openapi = cache(partial(describe, app))  # type: ignore[method-assign]
    for kind in EXPLAINED:
        app.add_exception_handler(kind, _explain)
    app.add_exception_handler(RequestValidationError, _explain_schema)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _explain_http)  # type: ignore[arg-type]
    return app


async def _explain(request: Request, error: Exception) -> Response:
    told = failure(error)
    if told.http == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    if told.http == HTTPStatus.SERVICE_UNAVAILABLE:
        logger.warning("%s %s: %s", request.method, request.url.path, error)  # with the address the caller is not told
    return JSONResponse({"error": told.sentence}, told.http, told.headers)


async def _explain_schema(request: Request, error: RequestValidationError) -> Response:
    """FastAPI's own answer repeats the body, photo included."""
    places = sorted({".".join(str(part) for part in problem["loc"]) for problem in error.errors()})
    return await _explain(request, QueryError(f"the body is not a request of the v2 protocol; see {', '.join(places)}"))


async def _explain_http(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is known before anything is loaded. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that say TCP; with it every answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
        return listener
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; choose another port or host") from error


class QuietUvicorn(uvicorn.Server):
    """Leaves signals to the search server: uvicorn would raise them again and end it before its log is written."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def rest_server(app: FastAPI, model: SearchModel, metrics: SearchMetrics, settings: ServingSettings) -> QuietUvicorn:
    """Serve it with `serve(sockets=[listen(...)])`; setting `should_exit` ends it gracefully."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        http=door(model.queue, metrics),
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nothing here asks where a request came from
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.grace_seconds,
    )
    return QuietUvicorn(config)
