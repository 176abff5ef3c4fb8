"""What a request's values mean where they can only be sent as text: in URLs, forms and gRPC parameters."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lookalike.errors import QueryError
from lookalike.search.query import SearchRequest
from serving.asking import PHOTO, PHOTO_URL

FILTERS = "filters"
FIELDS = frozenset(SearchRequest.model_fields) - {PHOTO} | {PHOTO_URL}
"""Everything a request may say beside the photo itself."""


def read_text(name: str, text: str) -> Any:
    """The value of a field; most are text already. Raises QueryError."""
    if name not in _READERS:
        return text
    read, accepted = _READERS[name]
    try:
        return read(text)
    except ValueError as error:
        raise QueryError(f"{name} is {text[:80]!r}, which is not {accepted}") from error


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("neither")
    return text == "true"


def _numbers(text: str) -> list[float]:
    numbers = [float(part) for part in text.strip("[] ").split(",")]
    if len(numbers) != 4:
        raise ValueError("not four numbers")
    return numbers


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "k": (int, "a whole number"),
    "colour_weight": (float, "a number from 0 to 1"),
    "narrow": (_flag, "true or false"),
    "explain": (_flag, "true or false"),
    "crop": (_numbers, "left,top,right,bottom as fractions of the photo"),
    FILTERS: (json.loads, 'JSON such as {"colour": ["red"]}'),
}
