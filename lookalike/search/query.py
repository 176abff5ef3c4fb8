"""A search request: a photo or a known product, how many answers, and what they must have."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from lookalike.catalog.crop import Crop
from lookalike.config import StrictConfig
from lookalike.errors import QueryError
from lookalike.index.checks import LONGEST_TEXT
from lookalike.index.filter_input import parse_where
from lookalike.index.predicates import OneOf, Where, fields_of
from lookalike.search.category import VERTICAL, CategoryUse
from lookalike.search.grouping import Group
from lookalike.search.stock import StockUse

MOST_ANSWERS = 100
"""Largest k; a shopper sees a page of them, and every answer costs a feature lookup."""


class SearchRequest(StrictConfig):
    """What a shopper asks. Build it with `search_request`, which explains what is wrong."""

    photo: bytes | None = Field(default=None, repr=False)
    """The encoded photo (JPEG, PNG, WebP, BMP or GIF); this or `product_id`."""
    product_id: str | None = Field(default=None, min_length=1, max_length=LONGEST_TEXT)
    """A product of the catalogue; the answer is what looks like it, without itself."""
    crop: Crop | None = None
    """The part of the photo to search with, as fractions of the upright photo; without one, all of it."""
    k: Annotated[int, Field(strict=True, ge=1, le=MOST_ANSWERS)] = 10
    """How many answers, at most."""
    filters: Where = ()
    """Conditions on fields (attributes or `vertical`) that must all hold; given as `parse_where` reads them."""
    group: Group = "product"
    """What has one answer, its best photo: a photo, a product, an item (its duplicate listings folded) or a design
    (the item in every colour)."""
    narrow: bool = Field(default=False, strict=True)
    """Whether products that agree with the photo's surely predicted attributes stand before all others."""
    colour_weight: float = Field(default=0.0, strict=True, ge=0, le=1, allow_inf_nan=False)
    """How much the photo's colours count beside its appearance in the order of the nearest photos; 0 is not at all."""
    category: CategoryUse = "off"
    """What the photo's vertical, told by the model and by the photo's neighbours, is good for: nothing, a gain for
    photos of the likely verticals, or a place before all others for those of one that is sure; `auto` is the gain where
    the release can tell verticals, and nothing elsewhere."""
    vertical: str | None = Field(default=None, min_length=1, max_length=200)
    """The vertical the shopper names: only its products answer."""
    stock: StockUse = "any"
    """What becomes of products that are out of stock: shown as any other, last on their page, or left out."""
    explain: bool = Field(default=False, strict=True)
    """Whether every answer says why it stands where it does."""
    cursor: str | None = None
    """Where to go on: the `next_cursor` of the answer before, with everything else asked as then."""

    @field_validator("filters", mode="before")
    @classmethod
    def _read_filters(cls, filters: Any) -> Where:
        return filters if isinstance(filters, tuple) else parse_where(filters)

    @field_validator("crop")
    @classmethod
    def _check_crop(cls, crop: Crop | None) -> Crop | None:
        return crop.require_area() if crop is not None else None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "SearchRequest":
        if (self.photo is None) == (self.product_id is None):
            raise ValueError("exactly one of photo and product_id must be given")
        if self.crop is not None and self.photo is None:
            raise ValueError("crop is a part of a photo; a product is searched with as a whole")
        if self.narrow and self.photo is None:
            raise ValueError("narrow goes by what is predicted for a photo; for a product, filter by its attributes")
        if self.category != "off" and self.photo is None:
            raise ValueError("category goes by a photo; for a product, name its vertical")
        if self.category != "off" and self.vertical is not None:
            raise ValueError("category asks for a vertical to be told, and vertical names it; send one of them")
        if self.colour_weight and self.photo is None:
            raise ValueError("colour_weight goes by a photo's colours; for a product, send its photo")
        return self

    @property
    def where(self) -> Where:
        """All that an answer must be: the filters and the named vertical."""
        return self.filters if self.vertical is None else (*self.filters, OneOf(VERTICAL, (self.vertical,)))


def search_request(values: Mapping[str, Any]) -> SearchRequest:
    """Check a request's values; filters are what `parse_where` reads.

    Raises QueryError naming every wrong field and what is accepted; never repeats the photo.
    """
    try:
        return SearchRequest.model_validate(dict(values))
    except ValidationError as error:
        raise QueryError("; ".join(_sentence(problem) for problem in error.errors(include_url=False))) from error


def check_filters(filters: Where, fields: Iterable[str]) -> None:
    """Raise QueryError for a filter on a field the collection does not have."""
    accepted = sorted(fields)
    unknown = sorted(fields_of(filters) - set(accepted))
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
