"""`lookalike manifests`: look at Kubernetes manifests before a cluster does."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from app.manifests.alerts import ALERTS, RULES
from lookalike.errors import ConfigError

app = typer.Typer(help="Kubernetes manifests: check them, write the alerts'.", no_args_is_help=True)


@app.callback()
def manifests() -> None:
    """Kubernetes manifests."""


@app.command()
def check(
    context: typer.Context,
    places: Annotated[list[Path], typer.Argument(help="Overlays' folders, or files of objects.", exists=True)],
    schemas: Annotated[
        Path | None,
        typer.Option(help="Folder with CustomResourceDefinitions, such as KServe's.", exists=True, file_okay=False),
    ] = None,
) -> None:
    """Say what is wrong with manifests: fields, references, rights, images, and settings the service does not know."""
    try:
        from app.manifests.check import check as find
        from app.manifests.schemas import read_definitions
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed; install lookalike[deploy]") from error
    from app.manifests.reading import read_manifests

    command = context.find_root().command
    assert isinstance(command, TyperGroup)  # of `lookalike` itself
    definitions = read_definitions(schemas) if schemas is not None else {}
    wrong = 0
    for place in places:
        documents = read_manifests(place)
        found = find(documents, command, definitions)
        for finding in found:
            typer.echo(f"{place}: {finding.where}: {finding.what}", err=True)
        typer.echo(f"{place}: {len(documents)} objects, {len(found) or 'nothing'} wrong")
        wrong += len(found)
    if wrong:
        raise ConfigError(f"{wrong} things are wrong")


@app.command()
def alerts(
    output: Annotated[Path, typer.Argument(help="Where to write it.")] = ALERTS,
    rules: Annotated[Path, typer.Option(help="Prometheus' rules.", exists=True, dir_okay=False)] = RULES,
) -> None:
    """Write Prometheus' rules as a PrometheusRule for its operator."""
    from app.manifests.alerts import write_alerts

    typer.echo(f"{output} {'was renewed' if write_alerts(rules, output) else 'is up to date'}")
