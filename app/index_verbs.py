"""`lookalike index`: build the release's collection, or find out which kind of index to build."""

from pathlib import Path
from typing import Annotated

import typer

from app.local_services import milvus_for
from app.options import (
    DEFAULT_WORKSPACE,
    MilvusOption,
    SetOption,
    SettingsOption,
    WorkspaceOption,
    read_settings,
)
from app.telling import tell
from lookalike import stages
from lookalike.errors import VectorIndexError
from lookalike.storage import StageRecord
from lookalike.workspace import Workspace

app = typer.Typer()


@app.callback(invoke_without_command=True)
def index(
    context: typer.Context,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    milvus: MilvusOption = "",
    shards: Annotated[int, typer.Option(min=0, help="Join so many shards that `shard` embedded; 0 embeds here.")] = 0,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Build the release's collection beside the live one and measure its recall; `select` chooses its kind."""
    if context.invoked_subcommand is not None:
        _require_no_options(context)
        return
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    with milvus_for(shop, milvus) as uri:
        inputs = (str(shop.validated), str(shop.exported), str(shop.index))
        folders = [str(shop.shard(f"{number}/{shards}")) for number in range(1, shards + 1)]
        tell(stages.index(*inputs, milvus_uri=uri, shards=folders, settings=chosen))


@app.command()
def shard(
    which: Annotated[str, typer.Argument(help="For example 2/8, the second of eight.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Embed one shard of the gallery, on any machine that mounts the workspace; `index --shards` joins them."""
    shop, chosen = Workspace(workspace), read_settings(settings, overrides)
    output = str(shop.shard(which))
    tell(stages.embed_shard(str(shop.validated), str(shop.exported), output, shard=which, settings=chosen))


@app.command()
def select(
    products: Annotated[int, typer.Option(min=1, help="Products the index will hold.")],
    updates_per_hour: Annotated[int, typer.Option(min=0, help="Photos that change in an hour.")],
    latency_ms: Annotated[float, typer.Option(help="Longest 99th percentile of a single search.")],
    memory_gib: Annotated[float, typer.Option(help="Most memory of one copy of the index.")],
    recall: Annotated[float, typer.Option(help="Least share of the exact ten nearest that must be found.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    vectors: Annotated[
        Path | None,
        typer.Option(help="Folder that `index` or `embed` wrote, or a .npy file; the workspace's index if empty."),
    ] = None,
    validated: Annotated[
        Path | None,
        typer.Option(help="Validated catalogue that says which products are alike; the workspace's if empty."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; in the workspace if empty.")] = None,
    memory_of: Annotated[
        str, typer.Option(help="`total`, or `scanned`: stored vectors may be read from the disk.")
    ] = "total",
    quick: Annotated[bool, typer.Option("--quick", help="One or two candidates of each kind, timed briefly.")] = False,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Measure kinds and parameters on your own vectors; choose the cheapest within the limits."""
    shop = Workspace(workspace)
    limits = {
        "products": products,
        "updates_per_hour": updates_per_hour,
        "latency_ms": latency_ms,
        "memory_gib": memory_gib,
        "recall": recall,
        "memory_of": memory_of,
    }
    output, catalogue = out or shop.index_selection, validated or _found(shop.validated)
    record = stages.select_index(
        str(vectors or shop.index),
        str(output),
        limits=limits,
        validated=str(catalogue or ""),
        quick=quick,
        settings=read_settings(settings, overrides),
    )
    tell(record, f"{output}/report.md")
    _tell_choice(record, output)


def _require_no_options(context: typer.Context) -> None:
    """Options in front of `select` would be lost."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"give it after `{context.invoked_subcommand}`", param_hint=name)


def _tell_choice(record: StageRecord, output: Path) -> None:
    """The reasons, and what to do with the settings; raises VectorIndexError where nothing fits."""
    reasons = record.figures["reasons"]
    if record.figures["chosen"] == "none":
        raise VectorIndexError(" ".join(reasons))
    for reason in reasons:
        typer.echo(f"  {reason}")
    typer.echo(f"  To build with it: cp {output}/settings.json FOLDER/, then --milvus faiss:///FOLDER")


def _found(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None
