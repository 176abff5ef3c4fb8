"""A run on this machine, followed by whoever started it."""

import sys
import threading
from pathlib import Path

import pytest

from app.local_run import execute, outcome_run
from app.watching import follow
from lookalike.errors import PipelineError
from lookalike.storage import read_json, write_json
from monitoring.runs.local import OUTCOME, REQUEST, LocalTrigger
from pipelines.compiled import COMPILED
from tests.pipelines.places import request

SPEAK = """
import sys, json, pathlib
folder = pathlib.Path(sys.argv[1])
for number in range(3):
    print(f"line {number}", flush=True)
print("cut off", end="", flush=True)
phase = json.loads((folder / "request.json").read_text())["name"]
(folder / "outcome.json").write_text(json.dumps({"phase": phase, "reason": "no room", "hours": 0.1}))
"""


@pytest.fixture
def runs(tmp_path: Path) -> LocalTrigger:
    return LocalTrigger(tmp_path, COMPILED, (sys.executable, "-c", SPEAK))


def test_every_whole_line_is_repeated_once_and_the_outcome_returned(runs: LocalTrigger) -> None:
    said: list[str] = []
    outcome = follow(runs, runs.start(request("succeeded")), said.append)
    assert said == ["line 0", "line 1", "line 2"]
    assert outcome["hours"] == 0.1


def test_a_failed_run_is_an_error_with_its_reason(runs: LocalTrigger) -> None:
    with pytest.raises(PipelineError, match="run failed failed: no room"):
        follow(runs, runs.start(request("failed")), lambda line: None)


def test_two_may_follow_one_run(runs: LocalTrigger) -> None:
    run_id = runs.start(request("succeeded"))
    said: list[list[str]] = [[], []]
    threads = [threading.Thread(target=follow, args=(runs, run_id, lines.append)) for lines in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said[0] == said[1] == ["line 0", "line 1", "line 2"]


def test_a_run_that_a_person_can_put_right_leaves_the_reason(tmp_path: Path) -> None:
    """No catalogue is named: nothing starts, and the process ends with an outcome."""
    arguments = {"workspace": str(tmp_path / "shop"), "milvus_uri": "faiss:///nowhere", "shards": 2}
    write_json(tmp_path / REQUEST, {"name": "x", "pipeline": "refresh_index", "arguments": arguments})
    execute(tmp_path)
    outcome = read_json(tmp_path / OUTCOME)
    assert outcome["phase"] == "failed"
    assert "pipeline 'refresh-index' needs ['catalogue']" in outcome["reason"]


def test_what_a_run_left_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = {
        "stage": "train",
        "inputs": "i",
        "content": "c",
        "figures": {"loss": 1.5},
        "seconds": 2.0,
        "reused": False,
    }
    run = outcome_run({"outputs": {"checkpoint": str(tmp_path)}, "records": [["train-model", record]]})
    assert run.outputs == {"checkpoint": tmp_path}
    ((task, stage),) = run.records
    assert (task, stage.stage, stage.figures) == ("train-model", "train", {"loss": 1.5})
