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
