"""A sweep for people: Markdown with the choice, the plot and every candidate."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from lookalike.selection.choice import Choice, Limits, shortfalls
from lookalike.selection.pareto import pareto_front

COLUMNS: dict[str, Callable[["pd.Series[Any]"], str]] = {
    "candidate": lambda row: row["name"],
    "recall": lambda row: f"{row['recall']:.4f}",
    "precision@4": lambda row: "unknown" if pd.isna(row["precision_at_4"]) else f"{row['precision_at_4']:.3f}",
    "queries/s": lambda row: f"{row['queries_per_second']:,.0f}",
    "p50 ms": lambda row: f"{row['p50_ms']:.3g}",
    "p99 ms": lambda row: f"{row['p99_ms']:.3g}",
    "p99 ms while updated": lambda row: f"{row['updating_p99_ms']:.3g}",
    "build s": lambda row: f"{row['build_seconds']:.3g}",
    "upsert s/1,000": lambda row: f"{row['upsert_seconds_per_1000']:.3g}",
    "scanned MiB": lambda row: f"{row['scanned_bytes'] / 2**20:.3g}",
    "total MiB": lambda row: f"{row['total_bytes'] / 2**20:.4g}",
}


def render_report(table: pd.DataFrame, choice: Choice, limits: Limits, how: str, plot: str) -> str:
    """Markdown; `plot` is the picture's name beside it, `how` says what the vectors are."""
    title = f"{choice.chosen} is chosen" if choice.chosen else "No candidate meets every limit"
    parts = [
        f"# {title}",
        "\n".join(f"- {reason}" for reason in choice.reasons),
        f"Limits: {_limits(limits)}",
        how,
        f"![recall against queries a second]({plot})",
        candidates_table(table, choice, limits),
        "**Bold** is the chosen candidate, `front` marks those that no other beats in both recall and queries/s, "
        "`misses` names the limits a candidate does not meet.",
    ]
    return "\n\n".join(parts) + "\n"


def candidates_table(table: pd.DataFrame, choice: Choice, limits: Limits) -> str:
    """Every candidate as a row of a Markdown table."""
    front = pareto_front(table["recall"], table["queries_per_second"])
    lines = [[*COLUMNS, "front", "misses"], ["---"] * (len(COLUMNS) + 2)]
    for on_front, (_, row) in zip(front, table.iterrows(), strict=True):
        cells = [write(row) for write in COLUMNS.values()]
        if row["name"] == choice.chosen:
            cells[0] = f"**{cells[0]}**"
        missed = ", ".join(shortfall.limit for shortfall in shortfalls(row, limits))
        lines.append([*cells, "front" if on_front else "", missed])
    return "\n".join(_line(cells) for cells in lines)


def _limits(limits: Limits) -> str:
    return (
        f"{limits.products:,} products, {limits.updates_per_hour:,} updates an hour, p99 at most "
        f"{limits.latency_ms:g} ms, {limits.memory_gib:g} GiB ({limits.memory_of}), recall at least {limits.recall:g}."
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
