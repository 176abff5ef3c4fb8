"""Search by photo, by product or by address, in plain HTTP."""

from fastapi import APIRouter, Request

from lookalike.client.answers import Answer
from lookalike.errors import QueryError
from serving.json_answer import JsonAnswer
from serving.model import SearchModel
from serving.openapi.asked import OF_PHOTOS, form, url_parameters
from serving.openapi.responses import failures, told
from serving.routes.asked import FORM, PRODUCT, posted_values, url_values

BINARY = {"schema": {"type": "string", "format": "binary"}}
POSTED = {
    "requestBody": {"content": {FORM: {"schema": form()}, "image/*": BINARY, "application/octet-stream": BINARY}},
    "parameters": url_parameters(),
}
ASKED_OF_A_PRODUCT = {"parameters": url_parameters(PRODUCT, "photo_url", *OF_PHOTOS)}
ANSWERED = told(Answer, "One page of answers, best first.")


def searching_routes(model: SearchModel) -> APIRouter:
    """`POST /search` and `GET /products/{id}/similar`."""
    router = APIRouter(tags=["Search"])

    @router.post(
        "/search",
        operation_id="search",
        responses=ANSWERED | failures(400, 404, 413, 415),
        openapi_extra=POSTED,
    )
    async def search(request: Request) -> JsonAnswer:
        """The products that look like a photo or a product; as a form, or with all but the photo in the URL."""
        answer = await model.search(await posted_values(request))
        return JsonAnswer(answer.as_json())

    @router.get(
        "/products/{product_id:path}/similar",
        operation_id="similar",
        responses=ANSWERED | failures(400, 404),
        openapi_extra=ASKED_OF_A_PRODUCT,
    )
    async def similar(product_id: str, request: Request) -> JsonAnswer:
        """The products that look like one of the catalogue, without itself."""
        values = url_values(request.query_params.multi_items())
        if PRODUCT in values:
            raise QueryError(f"{PRODUCT} is in the path already")
        answer = await model.search({**values, PRODUCT: product_id})
        return JsonAnswer(answer.as_json())

    return router
