"""Whether this server runs, and whether it can answer."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from lookalike.client.answers import Live, Ready
from serving.model import SearchModel
from serving.openapi.responses import Responses, told


def health_routes(model: SearchModel) -> APIRouter:
    """`GET /health/live` and `GET /health/ready`."""
    router = APIRouter(prefix="/health", tags=["Health"])
    unready: Responses = {503: {"description": "It cannot answer yet.", "model": Ready}}

    @router.get("/live", operation_id="live", responses=told(Live, "It runs."))
    async def live() -> JSONResponse:
        """Whether this server runs."""
        return JSONResponse({"live": True})

    @router.get("/ready", operation_id="ready", responses=told(Ready, "It can answer.") | unready)
    async def ready() -> JSONResponse:
        """Whether this server can answer, and by which release."""
        release = model.release_id if await model.healthy() else None
        if release is None:
            return JSONResponse({"ready": False}, HTTPStatus.SERVICE_UNAVAILABLE)
        provider = {} if model.provider is None else {"provider": model.provider}
        return JSONResponse({"ready": True, "release_id": release, "degraded": list(model.degraded), **provider})

    return router
