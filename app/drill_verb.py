"""`lookalike drill`: is the watch awake? Nothing of the shop is changed."""

from pathlib import Path
from typing import Annotated

import typer

from app.options import DEFAULT_WORKSPACE, SetOption, SettingsOption, WorkspaceOption, read_settings
from lookalike.workspace import Workspace


def drill(
    scenario: Annotated[str, typer.Argument(help="Which drill; --list tells them.")] = "",
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    windows: Annotated[int, typer.Option(help="Simulated days; the shift begins after a third of them.")] = 6,
    queries: Annotated[int, typer.Option(help="Searches a day.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Draws photos, damage and deliveries.")] = 0,
    settings: SettingsOption = None,
    overrides: SetOption = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write; drills/<scenario> in the workspace if empty.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Tell every drill in a line.")] = False,
) -> None:
    """Replay traffic with a named shift through the whole loop: what every watcher says, and what is decided.

    Exit code 0 where everything came as expected, 1 where it did not.
    """
    from app.drill.telling import tell_drill, tell_scenarios

    if listed:
        tell_scenarios()
        return
    from app.drill.days import Asked
    from app.drill.drilled import open_drilled
    from app.drill.page import PAGE
    from app.drill.run import run_drill
    from app.drill.scenario import find_scenario

    chosen, shop = find_scenario(scenario), Workspace(workspace.resolve())
    folder = output or shop.drills / chosen.name
    chosen_settings = read_settings(settings, overrides)
    found = run_drill(open_drilled(shop), chosen, folder, Asked(windows, queries, seed), chosen_settings)
    tell_drill(found)
    typer.echo(f"  see {folder / PAGE}")
    if not found.as_expected:
        raise typer.Exit(1)


VERBS = (drill,)
