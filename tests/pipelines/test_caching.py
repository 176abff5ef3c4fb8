"""What the cache takes for the same is the same content: not the place, not the time, not another task's settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cluster.caching import Counted, count_errors
from benchmarks.cluster.compiled import Argument, Output, read_compiled, roots_of, tasks_of
from benchmarks.cluster.turns import Turn, turns
from lookalike import stages
from pipelines.compiled import COMPILED
from tests.pipelines.paper import Answer, Paper, on_paper
from tests.pipelines.test_one_source import ANSWERS

READ = frozenset({"read_delivery", "read_recipe"})
"""They decide what the others' places in the cache are, so they do run; the others only answer."""


def planned(given: Mapping[str, Any]) -> dict[str, Any]:
    """As the real task names shards: with the settings they depend on."""
    return {"Output": [json.dumps({"shard": f"{place}/2", "settings": given["settings"]}) for place in (1, 2)]}


RECIPE = json.dumps({"epochs": 1, "learning_rate": 0.003})


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    folder = tmp_path_factory.mktemp("turns")
    stages.draw(str(folder / "drawn"), products=6, seed=0)
    nobody: dict[str, Answer] = {"find_champion": {"Output": ""}, "collect_feedback": {"Output": ""}}
    answers: dict[str, Answer] = {**ANSWERS, **nobody, "plan_shards": planned}
    with on_paper(pytest.MonkeyPatch(), Paper(answers, here=READ)):
        return count_errors(folder, turns(folder, RECIPE))


def test_tasks_run_again_exactly_where_what_decides_them_changed(counted: Counted) -> None:
    assert (counted.wrongly_run, counted.wrongly_reused) == ([], [])
    assert counted.decisions > 80


def test_each_change_reaches_the_tasks_that_depend_on_it(counted: Counted) -> None:
    names, ran = (list(column.cells) for column in counted.table.columns[:2])
    by_turn = dict(zip(names, ran, strict=True))
    judged = "evaluate-model, promotion-gate"
    assert by_turn["submitted again"] == by_turn["catalogue moved, its times changed"] == ""
    assert by_turn["recipe laid out anew"] == by_turn["the product changed back"] == ""
    assert by_turn["a setting of the evaluation changed"] == judged
    assert by_turn["the learning rate changed"] == "evaluate-model, export-model, promotion-gate, train-model"
    assert by_turn["one product changed"] == by_turn["first training"]
    assert by_turn["refreshed again"] == by_turn["settings of index and features changed"] == ""
    assert by_turn["photos embedded in other batches"] == "embed-shard, plan-shards"
    assert by_turn["one product changed, refreshed"] == "embed-shard, plan-shards"


def test_a_task_is_decided_by_arguments_and_by_what_always_runs() -> None:
    tasks = tasks_of(read_compiled(COMPILED / "training.yaml")[0])
    validated = {Output("read-delivery", "delivery"), Output("read-delivery", "validate")}
    validated |= {Argument("workspace"), Argument("limit")}
    assert roots_of(tasks, "validate-catalogue") == validated
    assert roots_of(tasks, "split-catalogue") == validated | {Output("read-delivery", "split")}
    assert Output("find-champion", "Output") in roots_of(tasks, "promotion-gate")
    assert Argument("milvus_uri") not in roots_of(tasks, "evaluate-model")


def test_an_error_either_way_is_counted() -> None:
    tasks = tasks_of(read_compiled(COMPILED / "training.yaml")[0])
    turn = Turn("first", "training", Path("drawn"), "as drawn", RECIPE, "as given")
    counted = Counted()
    counted.count(turn, tasks, "", ["  ▸ split-catalogue", "  ▸ find-champion"])
    counted.count(turn, tasks, "", ["  ▸ split-catalogue", "  ✓ mine-triplets (reused: same inputs)"])
    assert counted.wrongly_run == ["first: split-catalogue"]
    assert counted.wrongly_reused == ["first: mine-triplets"]
    assert (counted.errors, counted.decisions) == (2, 3)
