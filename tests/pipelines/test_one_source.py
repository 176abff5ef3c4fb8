"""One source, two ways to run it: the runner on this machine does what the compiled pipeline says, task by task."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.local_runner import run_pipeline
from benchmarks.cluster.compiled import Argument, Constant, Item, Output, Source, Status, Task, read_compiled, tasks_of
from lookalike.errors import PipelineError
from pipelines.compile import FLOWS, PIPELINES
from pipelines.compiled import COMPILED
from tests.pipelines.paper import Paper, on_paper

SETTINGS = {"evaluate": {"seed": 7}, "index": {"batch": 5}}
OWN: dict[str, Any] = {"delivery": "d1", **{task: {task: {"seed": 1}} for task in ("validate", "split", "mine")}}
ANSWERS: dict[str, dict[str, Any]] = {
    "find_champion": {"Output": "champion"},
    "read_delivery": {**OWN, "export": {}, "evaluate": {"evaluate": {"seed": 7}}, "embed": {"index": {"batch": 5}}},
    "read_recipe": {"recipe": '{"epochs": 1}', "encoder": "e1"},
    "collect_feedback": {"Output": "f1"},
    "promotion_gate": {"Output": "promote"},
    "plan_shards": {"Output": ['{"shard": "1/2"}', '{"shard": "2/2"}']},
    "release_model": {"Output": "r1"},
    "start_runs": {"Output": ["run-1"]},
}
WORLD = {"workspace": "w", "milvus_uri": "m", "catalogue": "c", "mapping": "map.yaml", "limit": 3, "settings": SETTINGS}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "training": {**WORLD, "recipe": "epochs: 1", "continue_from": "r0", "trigger": "t"},
    "refresh_index": {**WORLD, "shards": 2},
    "watch": {**WORLD, "recipe": "epochs: 1", "now": "2026-01-01T00:00:00+00:00", "api": "http://kfp"},
}


def expected(
    tasks: dict[str, Task], given: dict[str, Any], answers: dict[str, dict[str, Any]]
) -> list[tuple[str, Any]]:
    """(component, parameters) of every task that the compiled pipeline runs, once for each item of its loop."""

    def value(source: Source, item: Any) -> Any:
        if isinstance(source, Argument):
            return given[source.name]
        if isinstance(source, Output):
            return answers[tasks[source.task].component][source.key]
        return item if isinstance(source, Item) else json.loads(source.text) if isinstance(source, Constant) else None

    def parameters(task: Task, item: Any) -> dict[str, Any]:
        known = {key: one for key, one in task.inputs.items() if not _is_artifact(one, tasks, answers)}
        return {key: value(one, item) for key, one in known.items() if not isinstance(one, Status)}

    ran = []
    for task in tasks.values():
        if all(value(source, None) == wanted for source, wanted in task.conditions):
            items = value(task.loop, None) if task.loop else [None]
            ran += [(task.component, parameters(task, item)) for item in items]
    return ran


def _is_artifact(source: Source, tasks: dict[str, Task], answers: dict[str, dict[str, Any]]) -> bool:
    return isinstance(source, Output) and source.key not in answers.get(tasks[source.task].component, {})


def ordered(ran: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Without what KFP gives to a run on its own: its names, new every time, and how it ended."""
    own = ("run", "run_id", "status")
    kept = [(name, {key: one for key, one in given.items() if key not in own}) for name, given in ran]
    return sorted(kept, key=lambda one: (one[0], one[1].get("shard", "")))


@pytest.mark.parametrize("verdict", ["promote", "hold"])
@pytest.mark.parametrize("name", list(FLOWS))
def test_the_local_runner_runs_the_tasks_of_the_compiled_pipeline_with_their_parameters(
    name: str, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {**ANSWERS, "promotion_gate": {"Output": verdict}}
    with on_paper(monkeypatch, Paper(answers)) as paper:
        run_pipeline(
            PIPELINES[name], ARGUMENTS[name], root=tmp_path / "root", log=tmp_path / "log", say=lambda line: None
        )
    compiled, _ = read_compiled(COMPILED / f"{name}.yaml")
    wanted = expected(tasks_of(compiled), ARGUMENTS[name], answers)
    assert ordered([(one.component, one.parameters) for one in paper.ran]) == ordered(wanted)
    assert ("release_model" in paper.names) == (
        name == "refresh_index" or (name == "training" and verdict == "promote")
    )


@pytest.mark.parametrize("name", list(FLOWS))
def test_the_local_runner_asks_for_the_images_that_a_cluster_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_paper(monkeypatch, Paper(ANSWERS)) as paper:
        run_pipeline(
            PIPELINES[name], ARGUMENTS[name], root=tmp_path / "root", log=tmp_path / "log", say=lambda line: None
        )
    compiled, _ = read_compiled(COMPILED / f"{name}.yaml")
    containers = [each["container"] for each in compiled["deploymentSpec"]["executors"].values()]
    on_cluster = {each["args"][-1]: each["image"] for each in containers}
    here = {one.component: f"registry.example/{one.image}" for one in paper.ran}
    assert here == on_cluster


def test_the_pipelines_outputs_come_out_past_the_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_paper(monkeypatch, Paper(ANSWERS)):
        run = run_pipeline(
            PIPELINES["training"],
            ARGUMENTS["training"],
            root=tmp_path / "root",
            log=tmp_path / "log",
            say=lambda _: None,
        )
    assert set(run.outputs) == {"validated", "splits", "feedback", "triplets", "checkpoint", "evaluation"}
    assert all(path.is_file() for path in run.outputs.values())


def test_a_failed_run_ends_with_a_notice_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notice is written by the real task, in a process of its own, as it is on a cluster."""
    paper = Paper(ANSWERS, failing="train_model", real=frozenset({"tell_outcome"}))
    arguments, log = {**ARGUMENTS["training"], "workspace": str(tmp_path / "shop")}, tmp_path / "log"
    with (
        on_paper(monkeypatch, paper),
        pytest.raises(PipelineError, match="task train-model failed: the disk is full") as failed,
    ):
        run_pipeline(PIPELINES["training"], arguments, root=tmp_path / "root", log=log, say=lambda line: None)
    assert "release_model" not in paper.names
    (notice,) = (tmp_path / "shop" / "notices").iterdir()
    said = json.loads(notice.read_text())
    assert (said["succeeded"], said["failures"]) == (
        False,
        [{"task": "train-model", "reason": "the disk is full", "log": str(log)}],
    )
    assert "What to do: Where memory ran out" in said["text"]
    assert str(log) in str(failed.value)
