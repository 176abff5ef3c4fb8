"""Two routes for people and web pages: a photo as the body, a product in the path, plain JSON back."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import QueryParams

from lookalike.errors import QueryError
from lookalike.search.query import search_request
from serving.model import SearchModel


def plain_routes(model: SearchModel) -> APIRouter:
    """`POST /search` with the photo as the body, and `GET /products/{id}/similar`; the rest is in the URL."""
    router = APIRouter()

    @router.post("/search")
    async def search(request: Request) -> JSONResponse:
        values = url_values(request.query_params)
        answer = await model.search(search_request({"photo": await request.body(), **values}))
        return JSONResponse(answer.as_json())

    @router.get("/products/{product_id}/similar")
    async def similar(product_id: str, request: Request) -> JSONResponse:
        values = url_values(request.query_params)
        answer = await model.search(search_request({"product_id": product_id, **values}))
        return JSONResponse(answer.as_json())

    return router


def url_values(parameters: QueryParams) -> dict[str, Any]:
    """`k=5&group=design`; every other name is a filter and may be repeated: `colour=red&colour=blue`."""
    values: dict[str, Any] = {}
    filters: dict[str, list[str]] = {}
    for name, text in parameters.multi_items():
        if name in _NUMBERS:
            values[name] = _number(name, text)
        elif name in ("group", "cursor"):
            values[name] = text
        elif name == "narrow":
            values[name] = {"true": True, "false": False}.get(text, text)
        else:
            filters.setdefault(name, []).append(text)
    return {**values, "filters": filters}


_NUMBERS: dict[str, tuple[Callable[[str], int | float], str]] = {
    "k": (int, "a whole number"),
    "colour_weight": (float, "a number from 0 to 1"),
}


def _number(name: str, text: str) -> int | float:
    read, accepted = _NUMBERS[name]
    try:
        return read(text)
    except ValueError as error:
        raise QueryError(f"{name} is {text!r}; {accepted} is accepted") from error
