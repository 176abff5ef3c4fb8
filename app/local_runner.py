"""Run a pipeline with KFP's own local runner: the log goes to a file, a person reads one line per task."""

import contextlib
import io
import logging
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from kfp import local

from app.inherited import inherited
from lookalike.errors import PipelineError
from lookalike.storage import SEAL, StageRecord, read_seal, write_json
from monitoring.notice import Failure
from monitoring.stages import FAILURES
from pipelines.arguments import check_arguments

_STARTED = re.compile(r"Executing task .*?'(?P<task>[\w-]+)'")
_FINISHED = re.compile(r"Task .*?'(?P<task>[\w-]+)'.* finished with status .*?(?P<status>SUCCESS|FAILURE)")
_REUSED = re.compile(r"Task (?P<task>[\w-]+) cache hit")
_ARTIFACT = re.compile(r"uri='(?P<uri>[^']+)'")
_REASON = re.compile(r"^\s*lookalike\.errors\.\w+: (?P<sentence>.+)$")
_FAULT = re.compile(r"^\s*(?P<sentence>[\w.]+(?:Error|Exception): .+)$")
_PROGRESS = re.compile(r"^\s*(?P<label>[\w/ ]+?):\s+(?P<percent>\d+)%\|")
_COLOUR = re.compile(r"\x1b\[\d+m")


PROGRESS_SECONDS = 30.0
"""How often a long task says how far it is."""


@dataclass(frozen=True)
class PipelineRun:
    """What a finished run left."""

    outputs: dict[str, Path]
    """The pipeline's output artifacts by name."""
    records: list[tuple[str, StageRecord]]
    """(task, record) of its stages, the reused ones first."""


class RunLog(io.TextIOBase):
    """Standard output of a pipeline run: kept whole in a file, read for what a person wants to know."""

    def __init__(self, file: TextIO, say: Callable[[str], None], log: Path, noted: Path) -> None:
        """`log` is where `file` lies; what fails is noted in `noted`."""
        self.file, self.say, self.log, self.noted = file, say, log, noted
        self.line = ""
        self.task = ""
        self.reason = ""
        self.failures: list[Failure] = []  # the innermost first
        self.outputs: list[tuple[str, Path]] = []  # (task, output folder) in the order they were made
        self.told_at = 0.0

    def write(self, text: str) -> int:
        self.file.write(text)
        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            self._read(_COLOUR.sub("", line))
        return len(text)

    def flush(self) -> None:
        self.file.flush()

    def _read(self, line: str) -> None:
        if found := _STARTED.search(line):
            self.task, self.told_at = found["task"], time.monotonic()
            self.say(f"  ▸ {self.task}")
        elif found := _REUSED.search(line):
            self.task = found["task"]
            self.say(f"  ✓ {self.task} (reused: same inputs as an earlier run)")
        elif (found := _FINISHED.search(line)) and found["status"] == "FAILURE":
            self.say(f"  ✗ {found['task']} failed")
            self._note_failure(found["task"])
        elif found := _REASON.match(line) or _FAULT.match(line):
            self.reason = found["sentence"]
        elif found := _PROGRESS.match(line):
            self._tell_progress(found["label"], found["percent"])
        elif found := _ARTIFACT.search(line):
            self.outputs.append((self.task, Path(found["uri"])))

    def _note_failure(self, task: str) -> None:
        """For the notice that is a task of the run: it begins after this line was read."""
        self.failures.append(Failure(task=task, reason=self.reason, log=str(self.log)))
        write_json(self.noted, [failure.model_dump() for failure in self.failures])
        self.reason = ""

    def _tell_progress(self, label: str, percent: str) -> None:
        if time.monotonic() - self.told_at > PROGRESS_SECONDS:
            self.told_at = time.monotonic()
            self.say(f"    {label} {percent} %")


def run_pipeline(
    pipeline: Any, arguments: Mapping[str, Any], *, root: Path, log: Path, say: Callable[[str], None]
) -> PipelineRun:
    """Run a pipeline on this machine, each task in a process of its own.

    Tasks whose inputs were seen before are taken from the cache under `root`, so an interrupted run continues.
    Raises PipelineError with the failing task, its reason and the log's path.
    """
    check_arguments(pipeline, arguments)
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("a", buffering=1, encoding="utf-8") as file,  # so that `tail -f` works
        tempfile.TemporaryDirectory() as aside,
        _component_environment(Path(aside) / "failures.json") as noted,
    ):
        run = RunLog(file, say, log, noted)
        local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(root), enable_caching=True)
        try:
            with contextlib.redirect_stdout(run), _heard(run), warnings.catch_warnings():
                # The runner warns that display names and custom images do nothing on a laptop: known and meant.
                warnings.simplefilter("ignore")
                task = pipeline(**arguments)
        except RuntimeError as error:
            raise PipelineError(_why(run, error)) from error
    return _outcome(run, task.outputs)


def _why(run: RunLog, error: RuntimeError) -> str:
    if not run.failures:
        return f"task {run.task} failed: {run.reason or error} (log: {run.log})"
    first = run.failures[0]
    return f"task {first.task} failed: {first.reason or error} (log: {first.log})"


def _outcome(run: RunLog, outputs: Mapping[str, Any]) -> PipelineRun:
    folders = {name: Path(artifact.path) for name, artifact in outputs.items()}
    records = [(task, read_seal(folder)) for task, folder in run.outputs if (folder / SEAL).is_file()]
    seen = {record.content for _, record in records}
    reused = [(name, read_seal(path)) for name, path in folders.items() if (path / SEAL).is_file()]
    cached = [(record.stage, replace(record, reused=True)) for _, record in reused if record.content not in seen]
    return PipelineRun(folders, [*cached, *records])


@contextlib.contextmanager
def _heard(run: RunLog) -> Iterator[None]:
    """Let the runner's words between tasks, such as a cache hit, reach the log: it sets up logging only within."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [logging.StreamHandler(run)]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


@contextlib.contextmanager
def _component_environment(noted: Path) -> Iterator[Path]:
    """Let the components' processes be quiet, find this environment's python3 first, and know what failed before."""
    settings = {"GX_ANALYTICS_ENABLED": "False", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1", FAILURES: str(noted)}
    with inherited(settings):
        yield noted
