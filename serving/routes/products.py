"""A product and its photos, in plain HTTP."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from lookalike.client.answers import Product
from serving.json_answer import JsonAnswer
from serving.model import SearchModel
from serving.openapi.responses import Responses, failures, told
from serving.photos.shop_photos import ShopPhotos


def product_routes(model: SearchModel) -> APIRouter:
    """`GET /products/{id}`."""
    router = APIRouter(tags=["Products"])
    answered = told(Product, "The product.") | failures(404)

    @router.get("/products/{product_id:path}", operation_id="product", responses=answered)
    async def product(product_id: str) -> JsonAnswer:
        """A product as the live release has it."""
        return JsonAnswer((await model.product(product_id)).as_json())

    return router


def photo_routes(photos: ShopPhotos) -> APIRouter:
    """`GET /photos/{photo_id}`."""
    router = APIRouter(tags=["Products"])
    shown: Responses = {200: {"description": "The photo as JPEG.", "content": {"image/jpeg": {}}}}
    kept: Responses = {304: {"description": "The photo is still what If-None-Match names."}}

    @router.get(
        "/photos/{photo_id:path}",
        operation_id="photo",
        response_class=Response,
        responses=shown | kept | failures(404),
    )
    async def photo(photo_id: str, request: Request) -> Response:
        """A photo of a product, scaled down for a page of answers."""
        small = await photos.thumbnail(photo_id)
        headers = {
            "ETag": small.etag,
            "Cache-Control": f"private, max-age={photos.settings.max_age_seconds}",
            "X-Content-Type-Options": "nosniff",
        }
        if small.etag in request.headers.get("if-none-match", ""):
            return Response(None, HTTPStatus.NOT_MODIFIED, headers)
        return Response(small.content, headers=headers, media_type="image/jpeg")

    return router
