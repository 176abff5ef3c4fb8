"""Filters are read strictly, and what they mean is one small table."""

from typing import Any

import pytest

from lookalike.errors import QueryError
from lookalike.index.filter_input import parse_where
from lookalike.index.predicates import Between, Missing, Not, OneOf


def test_every_operator_is_read_to_its_condition() -> None:
    assert parse_where(
        {
            "colour": {"in": ["Red", "Blue"]},
            "gender": "Men",
            "size": ["S", "M"],
            "season": {"missing": True},
            "usage": {"known": True, "not_equals": "Home"},
            "brand": {"not_in": ["X"]},
            "year": {"range": {"from": "2010", "to": "2014"}},
            "fit": {"not": {"range": {"to": "m"}}},
            "sole": {"equals": "flat"},
        }
    ) == (
        OneOf("colour", ("Red", "Blue")),
        OneOf("gender", ("Men",)),
        OneOf("size", ("S", "M")),
        Missing("season"),
        Not(Missing("usage")),
        Not(OneOf("usage", ("Home",))),
        Not(OneOf("brand", ("X",))),
        Between("year", "2010", "2014"),
        Not(Between("fit", None, "m")),
        OneOf("sole", ("flat",)),
    )
    assert parse_where({}) == ()
    assert parse_where({"a": {"missing": False}, "b": {"known": False}}) == (Not(Missing("a")), Missing("b"))


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ("colour = 'red'", "filters is \"colour = 'red'\""),
        ({"colour": []}, "filters.colour is []"),
        ({"colour": [""]}, "filters.colour.0 is ''"),
        ({"colour": {}}, "filters.colour is {}; at least one of equals, not_equals, in"),
        ({"colour": {"like": "re%"}}, "filters.colour has the operator 'like'; accepted: equals, not_equals, in"),
        ({"colour": {"in": "red"}}, "filters.colour is 'red'; a list"),
        ({"colour": {"equals": None}}, "filters.colour.0 is None"),
        ({"colour": "\ud800"}, "not valid Unicode"),
        ({"season": {"missing": "yes"}}, "filters.season.missing is 'yes'; true or false"),
        ({"year": {"range": {}}}, "the range on year is open on both sides"),
        ({"year": {"range": {"from": 2010}}}, "filters.year.range.from is 2010"),
        ({"year": {"range": {"min": "2010"}}}, "filters.year.range is {'min': '2010'}"),
        ({"year": {"range": {"from": "2014", "to": "2010"}}}, "goes from '2014' to '2010'"),
        ({"colour": {"not": {"not_in": ["red"]}}}, "filters.colour.not is {'not_in': ['red']}"),
        ({"colour": {"not": {"in": ["red"], "missing": True}}}, "one operator that is not negated"),
    ],
)
def test_a_mistake_is_answered_with_its_place_and_value(filters: Any, named: str) -> None:
    with pytest.raises(QueryError) as refusal:
        parse_where(filters)
    assert named in str(refusal.value)


@pytest.mark.parametrize(
    ("predicate", "accepted"),
    [
        (OneOf("f", ("b",)), {"b"}),
        (Between("f", "b", None), {"b", "c"}),
        (Between("f", None, "b"), {"a", "b"}),
        (Missing("f"), {None}),
    ],
)
def test_a_negation_is_the_complement_and_takes_unknown_values_in(predicate: Any, accepted: set[str | None]) -> None:
    values = {"a", "b", "c", None}
    assert {value for value in values if predicate.accepts(value)} == accepted
    assert {value for value in values if Not(predicate).accepts(value)} == values - accepted
