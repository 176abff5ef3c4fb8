"""`lookalike`: one verb per stage, in the order of the flow.

Exit codes: 0 done; 1 a fault of ours; 2 something a person can put right, said in one sentence.
"""

import logging
import sys

import typer

from app import (
    drill_verb,
    engine_verbs,
    flow_verbs,
    index_verbs,
    key_verbs,
    lifecycle_verbs,
    pipeline_verbs,
    service_verbs,
    trial_verbs,
    trust_verbs,
    watch_verbs,
)
from app.demo.verb import demo
from app.manifests import verb as manifest_verbs
from app.sizing.verb import sizing
from lookalike.errors import LookalikeError

app = typer.Typer(
    name="lookalike",
    help="Visual product search: catalogue in, search service out, drift watched.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for room in (flow_verbs, lifecycle_verbs, trust_verbs, service_verbs, watch_verbs, drill_verb):
    for verb in room.VERBS:
        app.command()(verb)
app.command()(demo)
app.command()(sizing)
app.add_typer(index_verbs.app, name="index")
app.add_typer(pipeline_verbs.app, name="pipeline")
app.add_typer(key_verbs.app, name="keys")
app.add_typer(trial_verbs.app, name="trial")
app.add_typer(engine_verbs.app, name="engines")
app.add_typer(manifest_verbs.app, name="manifests")


def main() -> None:
    """Entry point of the `lookalike` command."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("lookalike").setLevel(logging.INFO)
    try:
        app()
    except LookalikeError as error:
        sys.stderr.write(f"lookalike: {error}\n")
        sys.exit(2)
