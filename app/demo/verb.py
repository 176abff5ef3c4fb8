"""`lookalike demo`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.demo.plan import Plan
from app.demo.story import Story
from app.options import EncoderOption, LimitOption, MappingOption, SetOption, SettingsOption, read_settings
from app.recipes import resolve_recipe
from lookalike.workspace import Workspace

PAGE_WIDTH = 120
"""Columns where the output goes to a file."""


def demo(
    catalogue: Annotated[
        str, typer.Option("--catalogue", "-c", help="Folder, file or URL of a real catalogue; empty draws a shop.")
    ] = "",
    limit: LimitOption = 0,
    mapping: MappingOption = None,
    recipe: Annotated[str, typer.Option(help="Recipe; empty takes sample_cpu or, for a catalogue, fashion_cpu.")] = "",
    encoder: EncoderOption = "",
    epochs: Annotated[int, typer.Option(min=0, help="Epochs instead of the recipe's; 0 keeps them.")] = 0,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Where to put everything; runs/demo-... by default.")
    ] = None,
    settings: SettingsOption = None,
    overrides: SetOption = None,
) -> None:
    """Run the whole loop: train, release, serve, search with damaged photos, drift, decide, retrain."""
    from app.demo.loop import Demo

    # The stream is named because a pipeline run redirects sys.stdout into its log.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else PAGE_WIDTH)
    chosen = resolve_recipe(recipe or ("fashion_cpu" if catalogue else "sample_cpu"), encoder, epochs, catalogue)
    asked = read_settings(settings, overrides)
    root = workspace or Path("runs") / _workspace_name(catalogue, limit)
    plan = Plan(Workspace(root.resolve()), catalogue, str(mapping or ""), limit, chosen.settings, asked)
    story = Story(console)
    story.say(chosen.sentence)
    Demo(plan, story).run()
    console.print()
    console.print(story.table())
    story.say(f"\ncontact sheet  {plan.contact_sheet}\nreport         {plan.report}")
    story.say(f"keep it up     {Path(sys.argv[0]).parent / 'lookalike'} serve --workspace {plan.shop.root}")


def _workspace_name(catalogue: str, limit: int) -> str:
    name = Path(catalogue.rstrip("/")).name if catalogue else "drawn-shop"
    return f"demo-{name}-{limit}" if limit else f"demo-{name}"
