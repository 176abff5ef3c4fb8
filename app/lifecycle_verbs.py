"""Verbs that change what is in service, or clear away what was."""

from typing import Annotated

import typer

from app.local_services import milvus_for
from app.options import (
    DEFAULT_WORKSPACE,
    LimitOption,
    MappingOption,
    MilvusOption,
    SetOption,
    SettingsOption,
    TrustedKeysOption,
    WorkspaceOption,
    read_settings,
)
from app.telling import tell
from lookalike import stages
from lookalike.workspace import Workspace


def rollback(
    to: Annotated[
        str, typer.Argument(help="Release to return to, by id or its beginning; the one before if empty.")
    ] = "",
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which release that would be.")] = False,
    milvus: MilvusOption = "",
    trusted_keys: TrustedKeysOption = "",
) -> None:
    """Go back to the release that was in service before, or to a named one; only a named one can be asked for twice."""
    shop = Workspace(workspace)
    before = stages.champion(str(shop.root))
    if dry_run:
        named = stages.way_back(workspace=str(shop.root), to=to)
        typer.echo(
            f"would put release {named.release_id[:12]} of {named.created} in service, in place of {before[:12]}"
        )
        typer.echo(f"  safe to repeat: lookalike rollback {named.release_id[:12]}")
        return
    with milvus_for(shop, milvus) as uri:
        now = stages.rollback(workspace=str(shop.root), milvus_uri=uri, to=to, trusted_keys=trusted_keys)
    changed = f"again, in place of {before[:12]}" if now.release_id != before else "already, and so is its collection"
    typer.echo(f"release {now.release_id[:12]} of {now.created} is in service {changed}")
    typer.echo(f"  model {now.model}, collection {now.collection}, features {now.feature_service}")


def update(
    catalogue: Annotated[str, typer.Argument(help="Folder, file or URL of the changed catalogue (parquet or CSV).")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    mapping: MappingOption = None,
    limit: LimitOption = 0,
    milvus: MilvusOption = "",
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Apply a changed catalogue to the live release without building it anew."""
    shop = Workspace(workspace)
    chosen = stages.with_erasures(str(shop.root), read_settings(settings, overrides))
    tell(stages.validate(catalogue, str(shop.validated), mapping=str(mapping or ""), limit=limit, settings=chosen))
    with milvus_for(shop, milvus) as uri:
        done = stages.update(str(shop.validated), workspace=str(shop.root), milvus_uri=uri, settings=chosen)
    if done is None:
        typer.echo("update: nothing changed, the live release holds this catalogue already")
        return
    products = f"{done.added:,} products added, {done.changed:,} changed, {done.removed:,} removed"
    typer.echo(f"update {done.number}: {products}; {done.photos_embedded:,} photos embedded")


def erase(
    products: Annotated[list[str], typer.Argument(help="Ids of the products to erase.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    cache: Annotated[str, typer.Option(help="Folder of decoded photos that `train --cache` kept.")] = "",
    milvus: MilvusOption = "",
) -> None:
    """Erase products from index, features, files and query log, and keep them from coming back."""
    shop = Workspace(workspace)
    with milvus_for(shop, milvus) as uri:
        done = stages.erase(products, workspace=str(shop.root), milvus_uri=uri, cache=cache)
    for place, count in sorted(done.removed.items()):
        typer.echo(f"removed from {place}: {count:,}")
    if not done.removed:
        typer.echo("nothing of these products was found; they are noted all the same")
    typer.echo("cannot be erased from here:")
    for sentence in done.left:
        typer.echo(f"  {sentence}")


def prune(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    keep: Annotated[int, typer.Option(min=0, help="Releases kept besides the live one and the way back.")] = 2,
    unreleased: Annotated[
        bool, typer.Option("--unreleased", help="Remove collections and features that no release names, too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    milvus: MilvusOption = "",
) -> None:
    """Clear away old releases with their collections, models and features, and old pipeline runs."""
    shop = Workspace(workspace)
    with milvus_for(shop, milvus) as uri:
        done = stages.prune(workspace=str(shop.root), milvus_uri=uri, keep=keep, unreleased=unreleased, dry_run=dry_run)
    gone = [f"release {name[:12]}" for name in done.releases]
    gone += [f"collection {name}" for name in done.collections] + [f"model {name}" for name in done.models]
    gone += [f"features {name}" for name in done.services] + [f"folder {path}" for path in done.folders]
    for line in gone:
        typer.echo(f"{'would remove' if dry_run else 'removed'} {line}")
    for name, reason in done.spared.items():
        typer.echo(f"kept {name}: {reason}")
    if not gone:
        typer.echo("nothing to remove")


VERBS = (rollback, update, erase, prune)
