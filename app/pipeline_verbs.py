"""`lookalike pipeline`: the same pipelines on this machine or compiled for Kubeflow."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app import run_verbs
from app.local_services import milvus_for
from app.options import (
    DEFAULT_WORKSPACE,
    CatalogueOption,
    EncoderOption,
    LimitOption,
    MappingOption,
    MilvusOption,
    RecipeOption,
    SetOption,
    SettingsOption,
    WorkspaceOption,
    read_settings,
)
from app.recipes import resolve_recipe
from app.telling import figures_line
from lookalike import stages
from lookalike.workspace import Workspace
from pipelines.compiled import COMPILED

app = typer.Typer(help="Run pipelines here, or compile them for Kubeflow and start them there.", no_args_is_help=True)
for verb in run_verbs.VERBS:
    app.command()(verb)


@app.command()
def compile(
    output: Annotated[Path, typer.Option(help="Folder for the YAML files.")] = COMPILED,
) -> None:
    """Write the pipelines as YAML to upload to Kubeflow Pipelines."""
    from pipelines.compile import compile_pipelines

    for path in compile_pipelines(output):
        typer.echo(path)


@app.command()
def train(
    catalogue: CatalogueOption,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    recipe: RecipeOption = "sample_cpu",
    encoder: EncoderOption = "",
    mapping: MappingOption = None,
    limit: LimitOption = 0,
    milvus: MilvusOption = "",
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Run the training pipeline with KFP's local runner."""
    from pipelines.training import training

    chosen = resolve_recipe(recipe, encoder, catalogue=catalogue)
    typer.echo(chosen.sentence)
    asked = read_settings(settings, overrides)
    _run(training, workspace, milvus, catalogue, mapping, limit, asked, {"recipe": chosen.text})


@app.command()
def refresh(
    catalogue: CatalogueOption,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    mapping: MappingOption = None,
    limit: LimitOption = 0,
    milvus: MilvusOption = "",
    shards: Annotated[int, typer.Option(min=1, help="Tasks that embed the catalogue side by side.")] = 1,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Run the refresh pipeline: today's catalogue with the model in service."""
    from pipelines.refresh_index import refresh_index

    asked = read_settings(settings, overrides)
    _run(refresh_index, workspace, milvus, catalogue, mapping, limit, asked, {"shards": shards})


def _run(
    pipeline: Any,
    workspace: Path,
    milvus: str,
    catalogue: str,
    mapping: Path | None,
    limit: int,
    settings: dict[str, Any],
    extra: dict[str, Any],
) -> None:
    from app.pipeline_runs import run_here, shared_arguments

    shop = Workspace(workspace.resolve())
    with milvus_for(shop, milvus) as uri:
        shared = shared_arguments(shop, catalogue, str(mapping or ""), limit, uri, settings)
        run = run_here(shop, pipeline, {**shared, **extra}, typer.echo)
    for _, record in run.records:
        typer.echo(f"{record.stage}: {figures_line(record)}")
    typer.echo(f"in service: release {stages.champion(str(shop.root))[:12] or 'none'}")
