"""A delivery's figures as a page of Markdown, for pipelines and pull requests."""

from collections.abc import Mapping, Sequence
from typing import Any

SHOWN = (
    ("rows", "Rows read"),
    ("products", "Products"),
    ("photos", "Photos"),
    ("query_photos", "Query photos"),
    ("quarantined", "Rows in quarantine"),
    ("lost_photos", "Photos lost from kept products"),
    ("plain_photos", "Plain photos (nothing to compare)"),
    ("near_duplicate_groups", "Near-duplicate groups"),
    ("near_duplicate_products", "Products in them"),
    ("largest_near_duplicate_group", "Largest of them"),
    ("single_product_verticals", "Verticals with one product"),
    ("products_without_attributes", "Products with no known attribute"),
)


def summary_markdown(figures: Mapping[str, Any], broken: Sequence[str]) -> str:
    """The figures as tables, headed by what was refused and why."""
    lines = ["# Catalogue", ""]
    if broken:
        lines += ["**Refused:**", "", *(f"- {sentence}" for sentence in broken), ""]
    lines += ["| | |", "|---|---:|", *(f"| {words} | {figures[name]:,} |" for name, words in SHOWN)]
    lines += [f"| Quarantined: {reason} | {count:,} |" for reason, count in figures["quarantined_by_reason"].items()]
    if figures["previous_products"]:
        lines.append(f"| Earlier ids gone | {figures['vanished_ids']:,} of {figures['previous_products']:,} |")
        lines.append(f"| of them under another id | {figures['renamed_ids']:,} |")
    return "\n".join([*lines, "", "Share of unknown values:", "", *_null_table(figures), ""])


def _null_table(figures: Mapping[str, Any]) -> list[str]:
    names = list(figures["null_rates"])
    rows = {**figures["null_rates_by_vertical"], "all": figures["null_rates"]}
    lines = [f"| vertical | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    cell = "{:.1%}".format
    return lines + [
        f"| {vertical} | {' | '.join(cell(rates[name]) for name in names)} |" for vertical, rates in rows.items()
    ]
