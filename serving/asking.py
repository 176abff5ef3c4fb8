"""From a caller's values to a search request, whichever protocol they came by."""

from collections.abc import Callable, Mapping
from typing import Any

from lookalike.deadline import Deadline
from lookalike.errors import QueryError
from lookalike.search.query import SearchRequest, search_request

PHOTO, PHOTO_URL = "photo", "photo_url"

Fetch = Callable[[str, Deadline], bytes]
"""Fetches the photo at a stranger's address within the deadline; its errors say nothing a stranger may not know."""
Ask = Callable[[Mapping[str, Any]], SearchRequest]
"""Reads one search. Raises QueryError, and ImageError for a photo that cannot be fetched."""


def asked(values: Mapping[str, Any], fetch: Fetch | None, deadline: Deadline) -> SearchRequest:
    """What `search_request` reads, or a `photo_url` in the photo's place, which is fetched once all else is right.

    Raises QueryError, also where addresses are not fetched, and whatever `fetch` raises.
    """
    if PHOTO_URL not in values:
        return search_request(values)
    if fetch is None:
        raise QueryError("photo_url is not enabled on this server; send the photo itself")
    url = values[PHOTO_URL]
    if not isinstance(url, str) or PHOTO in values:
        raise QueryError("photo_url must be one address, given in the photo's place")
    request = search_request({**{name: value for name, value in values.items() if name != PHOTO_URL}, PHOTO: b""})
    return request.model_copy(update={PHOTO: fetch(url, deadline)})
