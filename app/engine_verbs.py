"""`lookalike engines`: carry TensorRT's engines from the machine that built them to others of its kind."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.options import SigningKeyOption, TrustedKeysOption

app = typer.Typer(help="TensorRT's engines: pack them, unpack them where they fit.", no_args_is_help=True)
FolderArgument = Annotated[
    Path, typer.Argument(help="Where Triton looks for engines: the link that engine_cache.sh makes, or its folder.")
]
PackArgument = Annotated[Path, typer.Argument(help="The one file, a tar.")]


@app.command()
def pack(folder: FolderArgument, file: PackArgument, signing_key: SigningKeyOption = "") -> None:
    """Put the engines of this kind of GPU into one file, with a manifest of their digests."""
    from lookalike.signing.keys import load_signing_key
    from serving.triton.engine_pack import pack_engines

    digest = pack_engines(folder, file, load_signing_key(signing_key) if signing_key else None)
    typer.echo(f"{file}: engines for {folder.resolve().name}, sha256:{digest}")


@app.command()
def unpack(file: PackArgument, folder: FolderArgument, trusted_keys: TrustedKeysOption = "") -> None:
    """Put engines where Triton looks, if they are for this kind of GPU and TensorRT; those there already stay."""
    from lookalike.signing.keys import load_trusted_keys
    from serving.triton.engine_pack import unpack_engines

    trusted = load_trusted_keys(trusted_keys) if trusted_keys else None
    added = unpack_engines(file, folder, trusted, datetime.now(UTC).date())
    typer.echo(f"{folder}: engines of {len(added)} models were added")
