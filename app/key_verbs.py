"""`lookalike keys`: who may use a server, and whose releases it trusts."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="API keys of a server, and keys that sign releases.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """API keys of a server, and keys that sign releases."""


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


@app.command()
def signing(
    name: Annotated[str, typer.Argument(help="What the key is called; shown where a signature is told.")],
    private: Annotated[Path, typer.Option(help="Where the private key goes; never written over.")] = Path(
        "signing_key.pem"
    ),
    trusted: Annotated[Path, typer.Option(help="List of trusted public keys that it is added to.")] = Path(
        "trusted_keys.yaml"
    ),
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day on which its signatures are accepted (UTC)."),
    ] = None,
) -> None:
    """Make a key pair that releases are signed with: keep the private file, give services the list."""
    from lookalike.signing.keys import new_signing_key

    new_signing_key(private, trusted, name, until.date() if until else None)
    typer.echo(f"release with --signing-key file:{private}, which only its owner can read")
    typer.echo(f"serve with --trusted-keys file:{trusted}")
