"""A search's answer on the terminal."""

import typer
from rich.console import Console
from rich.table import Table

from lookalike.search.answer import SearchAnswer


def tell_answer(answer: SearchAnswer) -> None:
    """The answers as a table, what narrowed them, and how to ask for more."""
    Console().print(answer_table(answer))
    for hit in answer.hits:
        if hit.why is not None:
            typer.echo(f"{hit.why.rank}. {hit.product_id}: {hit.why.sentence}")
    if answer.narrowing is not None:
        typer.echo(f"narrowed by: {_names(answer.narrowing.used)}; relaxed: {_names(answer.narrowing.relaxed)}")
    if answer.next_cursor is not None:
        typer.echo(f"more: --cursor {answer.next_cursor}")


def answer_table(answer: SearchAnswer) -> Table:
    """The answers with what is stored and served about them; their variants where products are folded."""
    table = Table(title=f"release {answer.release_id[:12]}", show_edge=False)
    folded = any(hit.variants is not None for hit in answer.hits)
    for column in ("product", "score", "attributes", "features", *(["variants"] if folded else [])):
        table.add_column(column)
    for hit in answer.hits:
        fields = ", ".join(f"{name} {value}" for name, value in hit.fields.items() if value is not None)
        served = ", ".join(f"{name} {value}" for name, value in (hit.features or {}).items() if name not in hit.fields)
        variants = [", ".join(hit.variants or ())] if folded else []
        table.add_row(hit.product_id, f"{hit.score:.3f}", fields, served or "absent", *variants)
    return table


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"
