"""Search by photo, by product or by address, in plain HTTP."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from serving.model import SearchModel
from serving.routes.asked import posted_values, url_values


def searching_routes(model: SearchModel) -> APIRouter:
    """`POST /search` and `GET /products/{id}/similar`."""
    router = APIRouter()

    @router.post("/search")
    async def search(request: Request) -> JSONResponse:
        answer = await model.search(await posted_values(request))
        return JSONResponse(answer.as_json())

    @router.get("/products/{product_id:path}/similar")
    async def similar(product_id: str, request: Request) -> JSONResponse:
        values = url_values(request.query_params.multi_items())
        answer = await model.search({**values, "product_id": product_id})
        return JSONResponse(answer.as_json())

    return router
