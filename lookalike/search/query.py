"""A search request: a photo or a known product, how many answers, and what they must have."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from lookalike.config import StrictConfig
from lookalike.errors import QueryError

MOST_ANSWERS = 100
"""Largest k; a shopper sees a page of them, and every answer costs a feature lookup."""

Values = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class SearchRequest(StrictConfig):
    """What a shopper asks. Build it with `search_request`, which explains what is wrong."""

    photo: bytes | None = Field(default=None, repr=False)
    """The encoded photo (JPEG, PNG, WebP, BMP or GIF); this or `product_id`."""
    product_id: str | None = Field(default=None, min_length=1)
    """A product of the catalogue; the answer is what looks like it, without itself."""
    k: Annotated[int, Field(strict=True, ge=1, le=MOST_ANSWERS)] = 10
    """How many answers, at most."""
    filters: dict[str, Values] = {}
    """Field (an attribute or `vertical`) to its accepted values; every named field must hold one of them."""
    group_by_product: bool = Field(default=True, strict=True)
    """One answer per product, its best photo; False answers with photos."""

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "SearchRequest":
        if (self.photo is None) == (self.product_id is None):
            raise ValueError("exactly one of photo and product_id must be given")
        return self


def search_request(values: Mapping[str, Any]) -> SearchRequest:
    """Check a request's values; one filter value may stand without its list.

    Raises QueryError naming every wrong field and what is accepted; never repeats the photo.
    """
    filters = values.get("filters")
    if isinstance(filters, Mapping):
        listed = {name: [value] if isinstance(value, str) else value for name, value in filters.items()}
        values = {**values, "filters": listed}
    try:
        return SearchRequest.model_validate(dict(values))
    except ValidationError as error:
        raise QueryError("; ".join(_sentence(problem) for problem in error.errors(include_url=False))) from error


def check_filters(filters: Mapping[str, Any], fields: Iterable[str]) -> None:
    """Raise QueryError for a filter on a field the collection does not have."""
    accepted = sorted(fields)
    unknown = sorted(set(filters) - set(accepted))
    if unknown:
        raise QueryError(f"cannot filter by {', '.join(unknown)}; accepted: {', '.join(accepted)}")


def _sentence(problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown field '{field}'; accepted: {', '.join(sorted(SearchRequest.model_fields))}"
    if not field or field == "photo":
        return f"{field or 'the request'}: {problem['msg']}"
    return f"{field} is {_short(problem['input'])}: {problem['msg']}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
