"""`lookalike keys`: who may use a server."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="API keys of a server.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """API keys of a server."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Whose key it is; shown in logs and metrics.")],
    file: Annotated[Path, typer.Option("--file", help="Where the keys' digests are kept.")] = Path("keys.yaml"),
) -> None:
    """Make an API key and show it once; the file keeps only its digest."""
    from serving.access.keys import new_key

    key = new_key(file, name)
    typer.echo(key)
    typer.echo(f"shown once; serve with access.keys: file:{file} (its digest is there)", err=True)
