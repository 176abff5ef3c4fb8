"""Filters in Milvus' expression language.

Values come from strangers. Milvus' own templates (`filter_params`) would keep them out of the expression, but
Milvus Lite 3.2 does not read them, so every value is spelled as a JSON string literal: quotes, backslashes and
control characters are escaped the same way in both languages. An unknown value is stored as "".
"""

import json
from collections.abc import Sequence

from lookalike.index.predicates import Between, Missing, Not, OneOf, Predicate, Where


def one_of(field: str, values: Sequence[str]) -> str:
    """The expression for "the field holds one of the values"; `field` is a checked identifier."""
    return f"{field} in {_listed(values)}"


def where_expression(where: Where) -> str:
    """All conditions together, "" where there are none; the fields were checked against the collection."""
    return " and ".join(_expression(predicate) for predicate in where)


def _expression(predicate: Predicate) -> str:
    match predicate:
        case OneOf(field, values):
            return one_of(field, values)
        case Missing(field):
            return f'{field} == ""'
        case Between(field, least, most):
            return "(" + " and ".join([f'{field} != ""', *_bounds(field, ">=", least, "<=", most)]) + ")"
        case Not(condition):
            return _complement(condition)


def _complement(condition: OneOf | Between | Missing) -> str:
    match condition:
        case OneOf(field, values):
            return f"{field} not in {_listed(values)}"
        case Missing(field):
            return f'{field} != ""'
        case Between(field, least, most):
            return "(" + " or ".join([f'{field} == ""', *_bounds(field, "<", least, ">", most)]) + ")"


def _bounds(field: str, low: str, least: str | None, high: str, most: str | None) -> list[str]:
    return [f"{field} {sign} {_literal(bound)}" for sign, bound in ((low, least), (high, most)) if bound is not None]


def _listed(values: Sequence[str]) -> str:
    return f"[{', '.join(_literal(value) for value in values)}]"


def _literal(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
