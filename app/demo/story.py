"""The demo's ledger: one row per stage, printed as it happens and as a table at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass
class Row:
    """One line of the table."""

    stage: str
    seconds: float
    figure: str


@dataclass
class Story:
    """What happened so far."""

    console: Console
    rows: list[Row] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def say(self, text: str) -> None:
        """Tell a person what goes on."""
        self.console.print(text, highlight=False, markup=False)

    def add(self, stage: str, seconds: float, figure: str) -> None:
        """Record a finished stage."""
        self.rows.append(Row(stage, seconds, figure))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a part of the demo."""
        minutes = (time.perf_counter() - self.started) / 60
        self.console.rule(f"[bold]{title}[/] · {minutes:.1f} min", align="left")
        yield

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.perf_counter() - self.started

    def table(self) -> Table:
        """Stage, time, key figure."""
        table = Table(title=None, show_edge=False, pad_edge=False)
        table.add_column("stage", no_wrap=True)
        table.add_column("seconds", justify="right")
        table.add_column("key figure")
        for row in self.rows:
            table.add_row(row.stage, f"{row.seconds:.1f}", row.figure)
        table.add_section()
        table.add_row("whole demo", f"{self.seconds:.1f}", "")
        return table
