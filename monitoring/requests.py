"""The pipeline run that answers a decision."""

from collections.abc import Mapping
from typing import Any

from monitoring.history import StartedRun
from monitoring.runs.protocol import RunRequest

PIPELINES = {"retrain": "training", "reindex": "refresh_index"}


def request_for(run: StartedRun, arguments: Mapping[str, Any], recipe: str, live: str) -> RunRequest:
    """What to start for a run. A retrain continues from `live`, the id of the release in service."""
    training = {"recipe": recipe, "continue_from": live, "trigger": run.name}
    more = training if run.action == "retrain" else {}
    return RunRequest(run.name, PIPELINES[run.action], {**arguments, **more})
