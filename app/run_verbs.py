"""`lookalike pipeline submit, schedule, runs, cancel`: runs at a KFP server, or on this machine in the background."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.options import DEFAULT_WORKSPACE, ApiOption, ClusterOption, TaskApiOption, WorkspaceOption
from app.shop_options import TrainingOptions, taking
from lookalike.errors import ConfigError
from lookalike.workspace import Workspace
from monitoring.runs.choose import open_runs
from monitoring.runs.protocol import RunRequest, RunState
from pipelines.compiled import COMPILED

PipelineArgument = Annotated[str, typer.Argument(help="training, refresh_index or watch.")]
NameOption = Annotated[str, typer.Option("--name", help="Name of the run; the same name is not started twice.")]
CronOption = Annotated[str, typer.Option("--cron", help="When, as KFP writes it: six fields, seconds first, UTC.")]


@taking(TrainingOptions)
def submit(
    options: TrainingOptions,
    pipeline: PipelineArgument,
    name: NameOption,
    api: ApiOption = "",
    task_api: TaskApiOption = "",
    cluster: ClusterOption = None,
) -> None:
    """Start a run and return at once; `runs` tells how it stands."""
    require_milvus(api, options.milvus, cluster)
    arguments = _arguments(pipeline, options, task_api or api)
    with _compiled(cluster) as pipelines:
        run_id = open_runs(api, options.shop, pipelines).start(RunRequest(name, pipeline, arguments))
    typer.echo(f"{name}: run {run_id} {f'at {api}' if api else 'on this machine'}")


@taking(TrainingOptions)
def schedule(
    options: TrainingOptions,
    api: ApiOption,
    name: NameOption = "watch",
    cron: CronOption = "0 0 4 * * *",
    task_api: TaskApiOption = "",
    cluster: ClusterOption = None,
) -> None:
    """Watch again and again at a KFP server; the schedule of that name is replaced."""
    from monitoring.runs.kubeflow import KubeflowTrigger

    require_milvus(api, options.milvus, cluster)
    arguments = _arguments("watch", options, task_api or api)
    with _compiled(cluster) as pipelines:
        made = KubeflowTrigger(api, pipelines).schedule(RunRequest(name, "watch", arguments), cron)
    typer.echo(f"{name}: recurring run {made} at {api}, {cron}")


def runs(api: ApiOption = "", workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """List the newest runs and how they stand."""
    table = Table("run", "name", "state", "hours", "began", show_edge=False)
    for run in open_runs(api, Workspace(workspace.resolve()), COMPILED).runs():
        hours = "" if run.state.hours is None else f"{run.state.hours:.2f}"
        table.add_row(run.run_id, run.name, _told(run.state), hours, run.started)
    Console().print(table)


def cancel(
    run_id: Annotated[str, typer.Argument(help="As `runs` lists it.")],
    api: ApiOption = "",
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
) -> None:
    """End a run that is under way; a watch that asked for it will count it as failed."""
    open_runs(api, Workspace(workspace.resolve()), COMPILED).cancel(run_id)
    typer.echo(f"{run_id}: asked to end")


def require_milvus(api: str, milvus: str, cluster: Path | None = None) -> None:
    """Raise ConfigError where neither an argument nor a variable would tell tasks at a KFP server of the index."""
    from lookalike.stages.arguments import MILVUS_URI
    from pipelines.cluster import SHIPPED, read_cluster

    if not api or milvus:
        return
    settings = read_cluster(cluster or SHIPPED)
    if MILVUS_URI not in settings.variable_names():
        raise ConfigError(f"runs at a KFP server need --milvus, or {MILVUS_URI} in {cluster or SHIPPED.name}")


@contextmanager
def _compiled(cluster: Path | None) -> Iterator[Path]:
    """The folder of the compiled pipelines: the checked-in ones, or those for another cluster's settings."""
    if cluster is None:
        yield COMPILED
        return
    from pipelines.cluster import read_cluster
    from pipelines.compile import compile_pipelines

    with TemporaryDirectory() as folder:
        compile_pipelines(Path(folder), read_cluster(cluster))
        yield Path(folder)


def _arguments(pipeline: str, options: TrainingOptions, api: str) -> dict[str, Any]:
    from app.pipeline_runs import shared_arguments

    recipe = {} if pipeline == "refresh_index" else {"recipe": options.chosen_recipe().text}
    asked = {"api": api} if pipeline == "watch" else {}
    return {**shared_arguments(options.shop, *options.data()), **recipe, **asked}


def _told(state: RunState) -> str:
    return f"{state.phase}: {state.reason}" if state.reason else state.phase


VERBS = (submit, schedule, runs, cancel)
