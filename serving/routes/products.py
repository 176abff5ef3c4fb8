"""A product and its photos, in plain HTTP."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from serving.model import SearchModel
from serving.photos.shop_photos import ShopPhotos


def product_routes(model: SearchModel) -> APIRouter:
    """`GET /products/{id}`."""
    router = APIRouter()

    @router.get("/products/{product_id:path}")
    async def product(product_id: str) -> JSONResponse:
        return JSONResponse((await model.product(product_id)).as_json())

    return router


def photo_routes(photos: ShopPhotos) -> APIRouter:
    """`GET /photos/{photo_id}`."""
    router = APIRouter()

    @router.get("/photos/{photo_id:path}")
    async def photo(photo_id: str, request: Request) -> Response:
        shown = await photos.thumbnail(photo_id)
        headers = {
            "ETag": shown.etag,
            "Cache-Control": f"private, max-age={photos.settings.max_age_seconds}",
            "X-Content-Type-Options": "nosniff",
        }
        if shown.etag in request.headers.get("if-none-match", ""):
            return Response(None, HTTPStatus.NOT_MODIFIED, headers)
        return Response(shown.content, headers=headers, media_type="image/jpeg")

    return router
