"""A filter's bitmap is what its predicate accepts, value by value."""

import numpy as np
import pyarrow as pa
import pytest

from lookalike.index.attributes import Attributes, Chosen, chosen_rows
from lookalike.index.predicates import Between, Missing, Not, OneOf, Predicate

VALUES = ["b", None, "a", "日本", "", "Z", "\U0001f600", "\uffff", "b", None]
CONDITIONS = [
    OneOf("x", ("b",)),
    OneOf("x", ("b", "nowhere", "日本", "~")),
    Between("x", "a", "b"),
    Between("x", None, "a"),
    Between("x", "b", None),
    Between("x", "\uffff", "\U0001f600"),
    Between("x", "c", "d"),
    Missing("x"),
]


@pytest.mark.parametrize("condition", [*CONDITIONS, *map(Not, CONDITIONS)], ids=repr)
def test_the_rows_of_a_filter_are_those_whose_value_it_accepts(condition: Predicate) -> None:
    bits = Attributes({"x": pa.array(VALUES, pa.string())}).bits((condition,))
    assert Chosen(bits, len(VALUES)).rows.tolist() == [row for row, v in enumerate(VALUES) if condition.accepts(v)]


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_field_without_values_has_none_that_are_known(values: list[str | None]) -> None:
    attributes = Attributes({"x": pa.array(values, pa.string())})
    assert Chosen(attributes.bits((Missing("x"),)), len(values)).count == len(values)
    assert Chosen(attributes.bits((OneOf("x", ("a",)),)), len(values)).count == 0


def test_a_row_has_the_fields_it_was_stored_with() -> None:
    columns = {"x": pa.array(VALUES, pa.string()), "y": pa.array(["1"] * len(VALUES), pa.string())}
    attributes = Attributes(columns)
    assert [attributes.record(row) for row in range(len(VALUES))] == [{"x": value, "y": "1"} for value in VALUES]


def test_a_row_is_asked_for_by_its_bit() -> None:
    chosen = chosen_rows(np.arange(30) % 3 == 0)
    assert chosen.holds(np.arange(30).reshape(5, 6)).ravel().tolist() == [row % 3 == 0 for row in range(30)]
