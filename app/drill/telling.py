"""A drill on the terminal."""

import typer
from rich.console import Console
from rich.table import Table

from app.drill.result import Drill, WatchedWindow
from app.drill.scenario import SCENARIOS

WIDTH = 160
"""Columns where the output goes to a file."""
REPEATED = " What moved:"
"""A reason goes on with what stands in its own column."""
MOVED = 3
"""Streams named in a row of the table; the page has all of them."""


def tell_drill(drill: Drill) -> None:
    """A row per window, then what was expected and what happened."""
    console = Console()
    Console(width=None if console.is_terminal else WIDTH).print(drill_table(drill))
    typer.echo(f"expected: {drill.expected}")
    typer.echo(f"happened: {drill.conclusion}")


def tell_scenarios() -> None:
    """Every drill in a line."""
    for scenario in SCENARIOS.values():
        typer.echo(f"{scenario.name:12} {scenario.sentence}")


def drill_table(drill: Drill) -> Table:
    table = Table(title=f"drill {drill.scenario}: {drill.sentence}", show_edge=False, show_lines=True)
    for column in ("window", "shift", "score / threshold", "verdict", "what moved", "who else spoke", "decided"):
        table.add_column(column)
    for window in drill.windows:
        table.add_row(*_cells(window))
    return table


def _cells(window: WatchedWindow) -> tuple[str, ...]:
    score = "" if window.score is None else f"{window.score:.2f} / {window.threshold:.2f}"
    verdict = ("drifted" if window.drifted else "no drift") if window.outcome == "measured" else window.outcome
    more = len(window.moved) - MOVED
    moved = "; ".join(window.moved[:MOVED]) + (f"; {more} more" if more > 0 else "")
    others = "\n".join(
        f"{said.watcher}: {said.words}" for said in window.said if said.spoke and said.watcher != "drift"
    )
    shift = "yes" if window.shifted else ""
    return (
        str(window.number),
        shift,
        score,
        verdict,
        moved,
        others,
        f"{window.action}: {_reason(window)}{_runs(window)}",
    )


def _reason(window: WatchedWindow) -> str:
    """The reason that decided: what the catalogue asks for is said last, everything else first."""
    return window.reasons[-1 if window.action == "reindex" else 0].split(REPEATED)[0]


def _runs(window: WatchedWindow) -> str:
    """A run's name says what it answers."""
    return "".join(f"\n({name})" for name in window.started)
