"""Verbs about whose releases are trusted: sign one, verify one."""

from typing import Annotated

import typer

from app.local_services import milvus_for
from app.options import DEFAULT_WORKSPACE, MilvusOption, SigningKeyOption, TrustedKeysOption, WorkspaceOption
from lookalike import stages
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


VERBS = (sign, verify)
