"""Conditions on a photo's fields: small frozen values, built from structured input and never from strings.

A condition is the set of photos it accepts, and `Not` is its complement: a photo whose value is unknown holds no
value, so it fails every `OneOf` and `Between`, and passes their negation. Whoever wants known values only adds
`Not(Missing(field))`. All fields are text; `Between` compares by code point, which orders years ("2012"), dates
(ISO) and sizes of equal length, but not numbers of different lengths. Prices are features, not fields: they change
without a new release and are not in the index.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lookalike.errors import QueryError


@dataclass(frozen=True)
class OneOf:
    """The field holds one of the values. Raises QueryError without any, or for one no field could hold."""

    field: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.values, tuple) or not self.values:
            raise QueryError(f"the filter on {self.field} is {self.values!r}; at least one value is accepted")
        for number, value in enumerate(self.values):
            _check_text(f"{self.field}.{number}", value)

    def accepts(self, value: str | None) -> bool:
        return value in self.values


@dataclass(frozen=True)
class Between:
    """The field's text is at least `least` and at most `most`; one of them may be open (None)."""

    field: str
    least: str | None
    most: str | None

    def __post_init__(self) -> None:
        for name, bound in (("from", self.least), ("to", self.most)):
            if bound is not None:
                _check_text(f"{self.field}.range.{name}", bound)
        if self.least is None and self.most is None:
            raise QueryError(f"the range on {self.field} is open on both sides; give from, to or both")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise QueryError(f"the range on {self.field} goes from {self.least!r} to {self.most!r}, which is before it")

    def accepts(self, value: str | None) -> bool:
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True)
class Missing:
    """The field's value is unknown."""

    field: str

    def accepts(self, value: str | None) -> bool:
        return value is None


@dataclass(frozen=True)
class Not:
    """What the condition does not accept, unknown values included."""

    condition: OneOf | Between | Missing

    @property
    def field(self) -> str:
        return self.condition.field

    def accepts(self, value: str | None) -> bool:
        return not self.condition.accepts(value)


Predicate = OneOf | Between | Missing | Not
Where = tuple[Predicate, ...]
"""Conditions that must all hold; () lets every photo pass. Hashable, so that compiled filters can be kept."""


def fields_of(where: Iterable[Predicate]) -> set[str]:
    """The fields that a filter looks at."""
    return {predicate.field for predicate in where}


def _check_text(place: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise QueryError(f"filters.{place} is {value!r}; text that is not empty is accepted")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise QueryError(f"filters.{place} is {value!r}, which is not valid Unicode") from error
