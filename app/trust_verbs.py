"""Verbs about whose releases are trusted: sign one, verify one, keep verified copies of the models for Triton."""

import logging
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.local_services import milvus_for
from app.options import DEFAULT_WORKSPACE, MilvusOption, SigningKeyOption, TrustedKeysOption, WorkspaceOption
from lookalike import stages
from lookalike.errors import ConfigError
from lookalike.workspace import Workspace


def sign(
    release: Annotated[str, typer.Argument(help="A kept release, by id or its beginning.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    signing_key: SigningKeyOption = "",
    milvus: MilvusOption = "",
) -> None:
    """Sign a release as it is now: one made without a key, after an erasure, or with a further key."""
    shop = Workspace(workspace)
    with milvus_for(shop, milvus) as uri:
        signed = stages.sign(release, workspace=str(shop.root), milvus_uri=uri, key=signing_key)
    typer.echo(f"release {signed.release_id[:12]} and its model {signed.model} are signed")


def verify(
    release: Annotated[str, typer.Argument(help="By id or its beginning; the one in service if empty.")] = "",
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    trusted_keys: TrustedKeysOption = "",
    milvus: MilvusOption = "",
) -> None:
    """Prove a release as a service does before it loads one, and look for pickles in all files of the workspace."""
    shop = Workspace(workspace)
    typer.echo(f"no pickle in any of {stages.require_no_pickles(str(shop.root)):,} files")
    with milvus_for(shop, milvus) as uri:
        places = {"workspace": str(shop.root), "milvus_uri": uri}
        proven, by = stages.verify(release, **places, trusted_keys=trusted_keys)
    typer.echo(f"release {proven.release_id[:12]} is as {by} signed it: files, model, index parameters")


def mirror(
    repository: Annotated[Path, typer.Argument(help="Triton's model repository.", exists=True, file_okay=False)],
    served: Annotated[
        Path, typer.Argument(help="Folder for the copies, which Triton serves; nothing else writes there.")
    ],
    trusted_keys: TrustedKeysOption = "",
    once: Annotated[bool, typer.Option("--once", help="Look once and end, such as before Triton starts.")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 5.0,
) -> None:
    """Copy every model that is as it was signed to where Triton reads, and keep looking until interrupted.

    A model that is refused is said in the log and keeps no other out.
    """
    from lookalike.signing.keys import load_trusted_keys
    from serving.triton.mirror import Mirror, keep_looking

    if not trusted_keys:
        raise ConfigError("no trusted keys are named; give --trusted-keys: file:PATH or env:NAME")
    logging.getLogger("serving").setLevel(logging.INFO)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    copies = Mirror(repository, served, lambda: load_trusted_keys(trusted_keys), lambda: datetime.now(UTC).date())
    copies.look()
    if not once:
        keep_looking(copies, every, ended)


VERBS = (sign, verify, mirror)
