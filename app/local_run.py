"""`python -m app.local_run FOLDER`: the process of one pipeline run on this machine (see `monitoring.runs.local`)."""

import logging
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.local_runner import PipelineRun
from app.local_services import milvus_for
from app.pipeline_runs import run_here
from app.watching import watch_here
from lookalike.errors import LookalikeError
from lookalike.storage import StageRecord, read_json, write_json
from lookalike.workspace import Workspace
from monitoring.runs.local import OUTCOME, REQUEST
from pipelines.compile import PIPELINES


def execute(folder: Path) -> None:
    """Run what a run's folder asks for and leave its outcome there; what is said goes to standard output."""
    request, started = read_json(folder / REQUEST), time.monotonic()
    outcome: dict[str, Any] = {"phase": "succeeded", "reason": ""}
    try:
        outcome |= _left(_run(request["pipeline"], request["arguments"]))
    except LookalikeError as error:
        outcome |= {"phase": "failed", "reason": str(error)}
    write_json(folder / OUTCOME, {**outcome, "hours": (time.monotonic() - started) / 3600})


def outcome_run(outcome: dict[str, Any]) -> PipelineRun:
    """A run as it was before `execute` wrote it down."""
    outputs = {name: Path(path) for name, path in outcome["outputs"].items()}
    return PipelineRun(outputs, [(task, StageRecord(**record)) for task, record in outcome["records"]])


def _run(pipeline: str, arguments: dict[str, Any]) -> PipelineRun:
    """Milvus stays up until the runs that a watch starts have ended, too."""
    shop = Workspace(Path(arguments["workspace"]))
    with milvus_for(shop, arguments["milvus_uri"]) as uri:
        asked = {**arguments, "milvus_uri": uri}
        if pipeline == "watch":
            return watch_here(shop, asked, _say).watched
        return run_here(shop, PIPELINES[pipeline], asked, _say)


def _left(run: PipelineRun) -> dict[str, Any]:
    outputs = {name: str(path) for name, path in run.outputs.items()}
    return {"outputs": outputs, "records": [(task, asdict(record)) for task, record in run.records]}


def _say(line: str) -> None:
    """Tasks' own words are redirected while a pipeline runs; these are not."""
    sys.__stdout__.write(f"{line}\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    execute(Path(sys.argv[1]))
