"""Results pages: prose in docs/ with tables that are made from the committed numbers, set between markers."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figures = Mapping[str, Mapping[str, Any]]
"""As `benchmarks.results.record` writes them."""
Details = Mapping[str, Any]
"""What a page shows beside its figures."""
Tables = Mapping[str, Callable[[Figures, Details], str]]
"""By the name that stands in a marker."""

MARKERS = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
NOT_YET = "not measured yet"


def fill(page: str, figures: Figures, details: Details, tables: Tables) -> str:
    """The page with every marked table made anew. Raises KeyError for a marker that names no table."""

    def made(found: re.Match[str]) -> str:
        return f"{found[1]}\n{tables[found[2]](figures, details)}\n\n{found[3]}"

    return MARKERS.sub(made, page)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown; without any row it says so."""
    if not rows:
        return NOT_YET
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join('' if cell is None else str(cell) for cell in line)} |" for line in lines)


def goals_table(figures: Figures) -> str:
    """The figures that have a goal."""
    rows = [
        [f"`{key}`", number(told["value"]), span(told["interval"]), told["goal"], _met(told["met"]), told["n"]]
        for key, told in figures.items()
        if told["goal"]
    ]
    return table(["figure", "value", "interval", "goal", "met", "n"], rows)


def others_table(figures: Figures) -> str:
    """The figures that only inform."""
    rows = [
        [f"`{key}`", number(told["value"]), told["unit"], span(told["interval"]), told["n"]]
        for key, told in figures.items()
        if not told["goal"]
    ]
    return table(["figure", "value", "unit", "interval", "n"], rows)


def how_list(figures: Figures) -> str:
    """How each figure was measured."""
    return "\n".join(f"- `{key}`: {told['how']}." for key, told in figures.items()) or NOT_YET


def without(figures: Figures, starts: tuple[str, ...]) -> Figures:
    """The figures whose keys begin otherwise: those that other pages tell about."""
    return {key: told for key, told in figures.items() if not key.startswith(starts)}


def number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def span(interval: Sequence[float] | None) -> str:
    return "" if interval is None else " to ".join(number(value) for value in interval)


def _met(met: bool | None) -> str:
    return "yes" if met else "**no**"
