"""Filters as strangers write them, in JSON or YAML, to predicates.

    {"colour": ["Red", "Blue"], "gender": "Men", "season": {"missing": true}, "year": {"range": {"from": "2012"}}}

A field's value is one text or a list of them (one of these must hold), or an object of operators, which must all
hold: equals, not_equals, in, not_in, range, missing, known, and `not` around one other operator.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lookalike.errors import QueryError
from lookalike.index.predicates import Between, Missing, Not, OneOf, Predicate, Where


def parse_where(filters: Any) -> Where:
    """The conditions of a filter object. Raises QueryError naming the place, the value and what is accepted."""
    if not isinstance(filters, Mapping):
        raise QueryError(f'filters is {_short(filters)}; an object such as {{"colour": ["Red"]}} is accepted')
    return tuple(predicate for field, condition in filters.items() for predicate in _conditions(str(field), condition))


def _conditions(field: str, condition: Any) -> list[Predicate]:
    if isinstance(condition, Mapping):
        if not condition:
            raise QueryError(f"filters.{field} is {{}}; at least one of {', '.join(_OPERATORS)} is accepted")
        return [_operator(field, str(name), operand) for name, operand in condition.items()]
    if isinstance(condition, str):
        return [_equals(field, condition)]
    if isinstance(condition, list | tuple):
        return [_in(field, condition)]
    raise QueryError(f"filters.{field} is {_short(condition)}; text, a list of texts or operators are accepted")


def _operator(field: str, name: str, operand: Any) -> Predicate:
    if name not in _OPERATORS:
        raise QueryError(f"filters.{field} has the operator {name!r}; accepted: {', '.join(_OPERATORS)}")
    return _OPERATORS[name](field, operand)


def _equals(field: str, operand: Any) -> OneOf:
    return OneOf(field, (operand,))


def _in(field: str, operand: Any) -> OneOf:
    if not isinstance(operand, list | tuple) or not operand:
        raise QueryError(f"filters.{field} is {_short(operand)}; a list of at least one text is accepted")
    return OneOf(field, tuple(operand))


def _range(field: str, operand: Any) -> Between:
    if not isinstance(operand, Mapping) or not set(operand) <= {"from", "to"}:
        raise QueryError(f'filters.{field}.range is {_short(operand)}; {{"from": …, "to": …}} is accepted')
    return Between(field, operand.get("from"), operand.get("to"))


def _missing(field: str, operand: Any) -> Predicate:
    return Missing(field) if _flag(field, "missing", operand) else Not(Missing(field))


def _known(field: str, operand: Any) -> Predicate:
    return Not(Missing(field)) if _flag(field, "known", operand) else Missing(field)


def _not(field: str, operand: Any) -> Predicate:
    inner = _conditions(field, operand) if isinstance(operand, Mapping) else []
    if len(inner) != 1 or isinstance(inner[0], Not):
        raise QueryError(f"filters.{field}.not is {_short(operand)}; one operator that is not negated is accepted")
    return Not(inner[0])


def _flag(field: str, name: str, operand: Any) -> bool:
    if not isinstance(operand, bool):
        raise QueryError(f"filters.{field}.{name} is {_short(operand)}; true or false is accepted")
    return operand


_OPERATORS: dict[str, Callable[[str, Any], Predicate]] = {
    "equals": _equals,
    "not_equals": lambda field, operand: Not(_equals(field, operand)),
    "in": _in,
    "not_in": lambda field, operand: Not(_in(field, operand)),
    "range": _range,
    "missing": _missing,
    "known": _known,
    "not": _not,
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
