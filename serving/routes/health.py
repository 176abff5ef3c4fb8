"""Whether this server runs, and whether it can answer."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from serving.model import SearchModel


def health_routes(model: SearchModel) -> APIRouter:
    """`GET /health/live` and `GET /health/ready`."""
    router = APIRouter(prefix="/health")

    @router.get("/live")
    async def live() -> JSONResponse:
        return JSONResponse({"live": True})

    @router.get("/ready")
    async def ready() -> JSONResponse:
        release = model.release_id if await model.healthy() else None
        if release is None:
            return JSONResponse({"ready": False}, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"ready": True, "release_id": release, "degraded": list(model.degraded)})

    return router
