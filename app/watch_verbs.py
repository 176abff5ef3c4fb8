"""Verbs that keep a release fresh: watch it, hold its runs back, listen to alerts."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from app.local_services import milvus_for
from app.options import DEFAULT_WORKSPACE, ApiOption, TaskApiOption, WorkspaceOption
from app.run_verbs import require_milvus
from app.shop_options import TrainingOptions, taking
from lookalike.workspace import Workspace


@taking(TrainingOptions)
def watch(options: TrainingOptions, api: ApiOption = "") -> None:
    """Look at recent queries once: drift, a reasoned decision, and the run it asks for."""
    from app.pipeline_runs import shared_arguments
    from app.watching import watch_here

    more = {"recipe": options.chosen_recipe().text, "now": datetime.now(UTC).isoformat()}
    with milvus_for(options.shop, options.milvus) as uri:
        arguments = shared_arguments(options.shop, *options.data(uri))
        came = watch_here(options.shop, {**arguments, **more, "api": api}, typer.echo)
    typer.echo(f"{came.decision['action']}: {' '.join(came.decision['reasons'])}")
    if came.decision["run"] is not None:
        typer.echo(f"  run {came.decision['run']} {f'was started at {api}' if api else 'has ended'}")
    typer.echo(f"  see {came.watched.outputs['drift'] / 'drift.html'}")


def veto(
    reason: Annotated[str, typer.Argument(help="Why runs are held back; quoted in every decision until then.")] = "",
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    days: Annotated[float, typer.Option(min=0, help="Days after which it ends by itself; 0 for no end.")] = 0,
    lift: Annotated[bool, typer.Option("--lift", help="Let runs start again.")] = False,
) -> None:
    """Hold back every run that a watch would start, or let them start again."""
    from monitoring.veto import Veto, read_veto, write_veto

    file = Workspace(workspace).veto
    if lift:
        file.unlink(missing_ok=True)
    elif reason:
        write_veto(file, Veto(reason, datetime.now(UTC) + timedelta(days=days) if days else None))
    standing = read_veto(file)
    typer.echo(f"held back{standing.term}: {standing.reason}" if standing else "nothing is held back")


@taking(TrainingOptions)
def alert_webhook(
    options: TrainingOptions,
    keys: Annotated[str, typer.Option(help="`file:PATH` or `env:NAME` with the keys that `lookalike keys new` made.")],
    api: ApiOption = "",
    task_api: TaskApiOption = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8090,
) -> None:
    """Listen to Alertmanager: an alert starts a watch at once, instead of at its next time."""
    import uvicorn

    from app.alert_webhook import Webhook, webhook_application
    from app.pipeline_runs import shared_arguments
    from monitoring.runs.choose import open_runs
    from pipelines.compiled import COMPILED
    from serving.access.keys import load_keys

    require_milvus(api, options.milvus)
    arguments = shared_arguments(options.shop, *options.data())
    arguments |= {"recipe": options.chosen_recipe().text, "api": task_api or api}
    webhook = Webhook(load_keys(keys), options.shop.alerts, open_runs(api, options.shop, COMPILED), arguments)
    typer.echo(f"listening to Alertmanager at http://{host}:{port}/alerts")
    uvicorn.run(webhook_application(webhook), host=host, port=port, log_config=None, access_log=False)


VERBS = (watch, veto, alert_webhook)
