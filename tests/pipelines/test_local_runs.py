"""What only runs on this machine have: a process that may be killed."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.errors import PipelineError
from lookalike.storage import read_json
from monitoring.runs.local import PROCESS, LocalTrigger
from pipelines.compiled import COMPILED
from tests.pipelines.places import PRETEND, ended, request


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[LocalTrigger]:
    yield LocalTrigger(tmp_path, COMPILED, PRETEND)
    for left in tmp_path.glob("*"):
        (left / "end").write_text("failed")


def began(runs: LocalTrigger, name: str) -> None:
    deadline = time.monotonic() + 60
    while not (runs.folder / name / "began").is_file() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_killed_run_has_failed_without_anybody_writing_so(runs: LocalTrigger) -> None:
    run_id = runs.start(request())
    began(runs, run_id)
    os.kill(read_json(runs.folder / run_id / PROCESS)["pid"], signal.SIGKILL)
    state = ended(runs, run_id)
    assert state.phase == "failed"
    assert "its process ended without a word" in state.reason


def test_a_run_is_under_way_from_the_moment_it_can_be_seen(runs: LocalTrigger) -> None:
    """The lock is handed to the process; a state is never asked for in between."""
    assert {runs.state(runs.start(request(f"refresh-{number}"))).phase for number in range(3)} == {"running"}


def test_a_run_that_a_task_starts_is_no_part_of_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_KFP_RUNTIME", "true")
    say = "import os, sys; print(os.environ.get('_KFP_RUNTIME', 'free'))"
    runs = LocalTrigger(tmp_path, COMPILED, (sys.executable, "-c", say))
    ended(runs, runs.start(request()))
    assert runs.said("refresh-1").read_text() == "free\n"


def test_a_cancelled_run_has_failed_and_an_ended_one_stays_as_it_was(runs: LocalTrigger) -> None:
    run_id = runs.start(request())
    began(runs, run_id)
    runs.cancel(run_id)
    assert ended(runs, run_id).phase == "failed"
    other = runs.start(request("refresh-2"))
    (runs.folder / other / "end").write_text("succeeded")
    ended(runs, other)
    runs.cancel(other)
    assert [(run.name, run.state.phase) for run in runs.runs()] == [("refresh-2", "succeeded"), ("refresh-1", "failed")]


@pytest.mark.parametrize("name", ["", "../elsewhere", ".hidden", "a/b"])
def test_a_name_that_leaves_the_folder_is_refused(runs: LocalTrigger, name: str) -> None:
    with pytest.raises(PipelineError, match="names no run"):
        runs.start(request(name))
