"""`lookalike pipeline`: the same pipelines on this machine or compiled for Kubeflow."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app import run_verbs
from app.local_services import milvus_for
from app.options import ClusterOption
from app.shop_options import ShopOptions, TrainingOptions, taking
from app.telling import figures_line
from lookalike import stages
from pipelines.compiled import COMPILED

app = typer.Typer(help="Run pipelines here, or compile them for Kubeflow and start them there.", no_args_is_help=True)
for verb in run_verbs.VERBS:
    app.command()(verb)


@app.command()
def compile(
    output: Annotated[Path, typer.Option(help="Folder for the YAML files.")] = COMPILED,
    cluster: ClusterOption = None,
) -> None:
    """Write pipelines and components as YAML to upload to Kubeflow Pipelines."""
    from pipelines.cluster import SHIPPED, read_cluster
    from pipelines.compile import compile_pipelines

    for path in compile_pipelines(output, read_cluster(cluster or SHIPPED)):
        typer.echo(path)


@app.command()
@taking(TrainingOptions)
def train(options: TrainingOptions) -> None:
    """Run the training pipeline with KFP's local runner."""
    from pipelines.training import training

    chosen = options.chosen_recipe()
    typer.echo(chosen.sentence)
    _run(training, options, {"recipe": chosen.text})


@app.command()
@taking(ShopOptions)
def refresh(
    options: ShopOptions,
    shards: Annotated[int, typer.Option(min=1, help="Tasks that embed the catalogue side by side.")] = 1,
) -> None:
    """Run the refresh pipeline: today's catalogue with the model in service."""
    from pipelines.refresh_index import refresh_index

    _run(refresh_index, options, {"shards": shards})


def _run(pipeline: Any, options: ShopOptions, more: dict[str, Any]) -> None:
    from app.pipeline_runs import run_here, shared_arguments

    shop, (catalogue, mapping, *_) = options.shop, options.data()
    stages.require_catalogue(catalogue, mapping)
    with milvus_for(shop, options.milvus) as uri:
        run = run_here(shop, pipeline, {**shared_arguments(shop, *options.data(uri)), **more}, typer.echo)
    for _, record in run.records:
        typer.echo(f"{record.stage}: {figures_line(record)}")
    typer.echo(f"in service: release {stages.champion(str(shop.root))[:12] or 'none'}")
