"""`lookalike sizing`: what a catalogue of this size needs and costs."""

from pathlib import Path
from typing import Annotated

import typer

from app.options import read_values

OwnFile = Annotated[
    Path | None, typer.Option("--settings", help="YAML of your own constants, such as {core_hour: 0.02}.")
]
OwnSet = Annotated[list[str] | None, typer.Option("--set", help="One of them, NAME=VALUE; may be given several times.")]


def sizing(
    products: Annotated[
        list[str] | None, typer.Option(help="Products, such as 250K, 10M or 1B; may be given several times.")
    ] = None,
    photos: Annotated[float, typer.Option(min=0.1, help="Photos of a product.")] = 1.0,
    dimension: Annotated[int, typer.Option(min=8, help="Numbers of a vector.")] = 192,
    queries: Annotated[float, typer.Option(min=0.0, help="Queries a second at the peak.")] = 100.0,
    embedding_cores: Annotated[int, typer.Option(min=1, help="Cores that a rebuild embeds with.")] = 16,
    settings: OwnFile = None,
    overrides: OwnSet = None,
) -> None:
    """Say what a catalogue of this size needs: memory, disk, nodes, hours and money, and where each number is from."""
    from app.sizing.constants import constants
    from app.sizing.shop import Shop, count
    from app.sizing.tables import TABLES

    given = constants(read_values(settings, overrides))
    sizes = [count(text) for text in products or ["1M", "10M", "100M", "1B"]]
    shops = [Shop(size, photos, dimension, queries, embedding_cores) for size in sizes]
    for name, table in TABLES.items():
        typer.echo(f"{TITLES[name]}\n\n{table(shops, given)}\n")


TITLES = {
    "needs": "Stored, in GiB",
    "memory": "Memory of one release in a process, in GiB; (no): two of them do not fit a node",
    "hours": "One rebuild, in hours, and its cost",
    "months": "Serving, and its cost a month",
    "sources": "Where the numbers come from",
}
