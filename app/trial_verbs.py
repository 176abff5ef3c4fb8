"""`lookalike trial`: a release tried on live traffic before it is in service."""

from pathlib import Path
from typing import Annotated

import typer

from app.local_services import milvus_for
from app.options import DEFAULT_WORKSPACE, MilvusOption, WorkspaceOption
from lookalike import stages
from lookalike.errors import ConfigError
from lookalike.workspace import Workspace

app = typer.Typer(help="Try a release on live traffic.", no_args_is_help=True)

MODES = ("canary", "shadow")


@app.callback()
def trial() -> None:
    """Try a release on live traffic."""


@app.command()
def start(
    release: Annotated[str, typer.Argument(help="A release kept by `release --hold`, by id or its beginning.")],
    mode: Annotated[
        str, typer.Option(help="canary: it answers its share; shadow: it is asked, and shown to nobody.")
    ] = "canary",
    share: Annotated[float, typer.Option(min=0.0001, max=1, help="Share of the requests it meets.")] = 0.05,
    again: Annotated[bool, typer.Option("--again", help="Also where a trial of it was rolled back before.")] = False,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
) -> None:
    """Begin a trial, or change the mode and share of the one under way."""
    if mode not in MODES:
        raise ConfigError(f"--mode is {mode!r}; {' and '.join(MODES)} are accepted")
    begun = stages.start_trial(release, workspace=str(workspace), mode=mode, share=share, again=again)  # type: ignore[arg-type]
    typer.echo(f"release {begun.release_id[:12]} is on trial: {begun.mode}, {100 * begun.share:g} % of the requests")


@app.command()
def show(workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """The trial under way, and what became of former ones."""
    from lookalike.release.manifest import known_releases
    from lookalike.release.trial import ended_trials, running_trial

    releases = Workspace(workspace).releases
    running = running_trial(releases)
    if running is None:
        typer.echo("nothing is on trial")
    else:
        share = f"{running.mode}, {100 * running.share:g} % of the requests since {running.started}"
        typer.echo(f"release {running.release_id[:12]} is on trial: {share}")
    for ended in (one for release in known_releases(releases) for one in ended_trials(releases, release)):
        name = ended.trial.release_id[:12]
        typer.echo(f"release {name} was {ended.outcome} on {ended.ended}: {'; '.join(ended.reasons)}")


@app.command()
def promote(workspace: WorkspaceOption = DEFAULT_WORKSPACE, milvus: MilvusOption = "") -> None:
    """Put the release on trial in service."""
    with milvus_for(Workspace(workspace), milvus) as uri:
        ended = stages.end_trial(workspace=str(workspace), milvus_uri=uri, promote=True)
    typer.echo(f"release {ended.release_id[:12]} is in service; `lookalike rollback` returns to the one before")


@app.command()
def end(workspace: WorkspaceOption = DEFAULT_WORKSPACE) -> None:
    """End the trial; the release in service answers everything again."""
    ended = stages.end_trial(workspace=str(Path(workspace)))
    typer.echo(f"release {ended.release_id[:12]} is no longer on trial")
