"""How a finished stage is told: one line a person reads, figures first."""

import typer

from lookalike.storage import StageRecord

MOST_FIGURES = 6


def tell(record: StageRecord, page: str = "") -> None:
    """Print a stage's outcome, and where its page is."""
    how = "reused, same inputs as before" if record.reused else f"{record.seconds:.1f} s"
    typer.echo(f"{record.stage}: {figures_line(record)} ({how})")
    if page:
        typer.echo(f"  see {page}")


def figures_line(record: StageRecord) -> str:
    """The stage's first figures as text: whole numbers plainly, shares with three digits."""
    plain = {name: value for name, value in record.figures.items() if isinstance(value, int | float | str)}
    return ", ".join(f"{name} {figure_text(value)}" for name, value in list(plain.items())[:MOST_FIGURES])


def figure_text(value: float | str) -> str:
    """A number as a person would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else value
