"""Requests are checked in one place, with sentences."""

import pytest

from lookalike.errors import QueryError
from lookalike.index.predicates import OneOf
from lookalike.search.query import check_filters, search_request


def test_a_request_has_sensible_defaults() -> None:
    request = search_request({"photo": b"x"})
    assert (request.k, request.filters, request.group) == (10, (), "product")


def test_one_filter_value_may_stand_without_its_list() -> None:
    request = search_request({"photo": b"x", "filters": {"colour": "red", "size": ["small", "large"]}})
    assert request.filters == (OneOf("colour", ("red",)), OneOf("size", ("small", "large")))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"photo": b"x", "k": 0}, "k is 0"),
        ({"photo": b"x", "k": 101}, "k is 101"),
        ({"photo": b"x", "k": "5"}, "k is '5'"),
        ({"photo": b"x", "k": True}, "k is True"),
        (
            {"photo": b"x", "group": "colour"},
            "group is 'colour': Input should be 'photo', 'product', 'item' or 'design'",
        ),
        ({"photo": b"x", "filters": ["red"]}, "filters is ['red']"),
        ({"photo": b"x", "filters": {"colour": []}}, "filters.colour is []"),
        ({"photo": b"x", "filters": {"colour": [3]}}, "filters.colour.0 is 3"),
        ({"photo": b"x", "filters": {"colour": 3}}, "filters.colour is 3"),
        (
            {"photo": b"x", "color": "red"},
            "unknown field 'color'; accepted: category, colour_weight, crop, cursor",
        ),
        ({"photo": b"x", "narrow": "yes"}, "narrow is 'yes'"),
        ({"product_id": "p1", "narrow": True}, "narrow goes by what is predicted for a photo"),
        ({"photo": b"x", "colour_weight": 1.1}, "colour_weight is 1.1"),
        ({"photo": b"x", "colour_weight": -0.1}, "colour_weight is -0.1"),
        ({"photo": b"x", "colour_weight": float("nan")}, "colour_weight is nan"),
        ({"photo": b"x", "colour_weight": "0.3"}, "colour_weight is '0.3'"),
        ({"product_id": "p1", "colour_weight": 0.3}, "colour_weight goes by a photo's colours"),
        ({}, "exactly one of photo and product_id"),
        ({"photo": b"x", "product_id": "p1"}, "exactly one of photo and product_id"),
        ({"product_id": ""}, "product_id is ''"),
        ({"product_id": "p" * 513}, "at most 512 characters"),
    ],
)
def test_a_wrong_request_is_refused_with_its_field_and_value(values: dict, named: str) -> None:
    with pytest.raises(QueryError) as refusal:
        search_request(values)
    assert named in str(refusal.value)


def test_a_refusal_never_repeats_the_photo() -> None:
    with pytest.raises(QueryError) as refusal:
        search_request({"photo": b"secret pixels", "product_id": "p1", "k": "many"})
    assert "secret" not in str(refusal.value)
    assert "secret" not in repr(search_request({"photo": b"secret pixels"}))


def test_an_unknown_filter_lists_the_accepted_ones() -> None:
    check_filters((OneOf("colour", ("red",)),), ("vertical", "colour"))
    with pytest.raises(QueryError, match="cannot filter by color; accepted: colour, vertical"):
        check_filters((OneOf("color", ("red",)),), ("vertical", "colour"))
