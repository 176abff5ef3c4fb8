"""A photo's address is fetched last, once, and only where that is enabled."""

from typing import Any

import pytest

from lookalike.deadline import Deadline
from lookalike.errors import ImageError, QueryError
from lookalike.search.query import search_request
from serving.asking import asked
from tests.search.shop import photo

URL = "https://photos.example/shoe.jpg"
DEADLINE = Deadline.after(5)


class Photos:
    """Fetches from memory and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deadline]] = []

    def __call__(self, url: str, deadline: Deadline) -> bytes:
        self.asked.append((url, deadline))
        if url != URL:
            raise ImageError("there is no photo at this address")
        return photo(1)


def test_a_fetched_photo_is_searched_with_like_one_that_was_sent() -> None:
    photos = Photos()
    assert asked({"photo_url": URL, "k": 3}, photos, DEADLINE) == search_request({"photo": photo(1), "k": 3})
    assert photos.asked == [(URL, DEADLINE)]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"photo_url": URL, "k": 0}, "k is 0"),
        ({"photo_url": URL, "product_id": "p001"}, "exactly one of photo and product_id"),
        ({"photo_url": URL, "photo": b"x"}, "in the photo's place"),
        ({"photo_url": 3}, "photo_url must be one address"),
        ({"photo_url": URL, "crop": [0, 0, 2, 1]}, "left before right"),
    ],
)
def test_nothing_is_fetched_for_a_request_that_is_wrong(values: dict[str, Any], sentence: str) -> None:
    photos = Photos()
    with pytest.raises(QueryError, match=sentence):
        asked(values, photos, DEADLINE)
    assert photos.asked == []


def test_an_address_is_refused_where_none_is_fetched() -> None:
    with pytest.raises(QueryError, match="photo_url is not enabled on this server"):
        asked({"photo_url": URL}, None, DEADLINE)


def test_what_cannot_be_fetched_is_the_fetchers_sentence() -> None:
    with pytest.raises(ImageError, match="there is no photo at this address"):
        asked({"photo_url": "https://photos.example/none.jpg"}, Photos(), DEADLINE)
