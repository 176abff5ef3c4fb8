"""What a plain request asks: a form, or a photo as the body with everything else in the URL."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from lookalike.errors import QueryError
from serving.asking import PHOTO, PHOTO_URL
from serving.texts import FIELDS, FILTERS, read_text

FORM, PRODUCT = "multipart/form-data", "product_id"
MOST_FIELDS = 32
FIELD_BYTES = 65_536
"""Largest field of a form that is not the photo."""


class InMemoryForm(MultiPartParser):
    """A stranger's photo stays in memory, where the limit of the request holds for it; it is never a file here."""

    spool_max_size = 1 << 40


async def posted_values(request: Request) -> dict[str, Any]:
    """The values of `POST /search`. Raises QueryError for a field that is unknown or given twice."""
    in_url = url_values(request.query_params.multi_items())
    sent = request.headers.get("content-type", "")
    if sent.startswith(("application/json", "text/")):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {FORM}, or the photo itself as the body")
    if not sent.startswith(FORM):
        body = await request.body()
        elsewhere = not body and not in_url.keys().isdisjoint((PRODUCT, PHOTO_URL))
        return in_url if elsewhere else {PHOTO: body, **in_url}
    in_form = await _form_values(request)
    twice = sorted(set(in_url) & set(in_form))
    if twice:
        raise QueryError(f"{', '.join(twice)} is in the URL and in the form; once is accepted")
    return {**in_url, **in_form}


async def _form_values(request: Request) -> dict[str, Any]:
    """Every field once; a form's empty field is one that was left blank."""
    values: dict[str, Any] = {}
    async with _form(request) as form:
        for name, value in form.multi_items():
            if name in values:
                raise QueryError(f"the form has {name[:80]!r} twice; once is accepted")
            if isinstance(value, UploadFile) != (name == PHOTO):
                raise QueryError(f"the form's {name[:80]!r} is wrong; only '{PHOTO}' is a file, and it must be one")
            if isinstance(value, UploadFile):
                values[PHOTO] = await value.read()
            elif value:
                values[name] = read_text(name, value)
    return values


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    limits: dict[str, Any] = {"max_files": 1, "max_fields": MOST_FIELDS, "max_part_size": FIELD_BYTES}
    try:
        form = await InMemoryForm(request.headers, request.stream(), **limits).parse()
    except MultiPartException as error:
        raise QueryError(f"the form cannot be read: {error.message}") from error
    except ValueError as error:  # a charset that is none, or that its own text breaks
        raise QueryError("the form cannot be read: its fields are not in the charset it names") from error
    try:
        yield form
    finally:
        await form.close()


def url_values(parameters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`k=5&group=design`; a name that is no field of a request is a filter and may be repeated:
    `colour=red&colour=blue`. Raises QueryError."""
    values: dict[str, Any] = {}
    filters: dict[str, list[str]] = {}
    for name, text in parameters:
        if name not in FIELDS:
            filters.setdefault(name, []).append(text)
        elif name in values:
            raise QueryError(f"{name} is in the URL twice; once is accepted")
        else:
            values[name] = read_text(name, text)
    if filters and FILTERS in values:
        raise QueryError(f"the URL has {FILTERS} and the filters {', '.join(filters)}; one way is accepted")
    return {**values, FILTERS: filters} if filters else values
