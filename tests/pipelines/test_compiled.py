"""The YAML a person uploads is what the source says."""

from pathlib import Path

import pytest
import yaml

from lookalike.errors import PipelineError
from pipelines.arguments import check_arguments
from pipelines.compile import PIPELINES, compile_pipelines, stale_pipelines
from pipelines.compiled import COMPILED
from pipelines.training import training


def test_checked_in_pipelines_are_what_the_source_compiles_to(tmp_path: Path) -> None:
    assert stale_pipelines(COMPILED, tmp_path) == [], "run `make pipelines` and commit the result"


def test_compiling_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = compile_pipelines(tmp_path / "a"), compile_pipelines(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_changed_pipeline_is_noticed(tmp_path: Path) -> None:
    for path in compile_pipelines(tmp_path / "old"):
        path.write_text(path.read_text() + "# edited by hand\n")
    assert len(stale_pipelines(tmp_path / "old", tmp_path / "new")) == len(PIPELINES)


def test_every_argument_is_explained_in_the_interface() -> None:
    for name in PIPELINES:
        spec = next(iter(yaml.safe_load_all((COMPILED / f"{name}.yaml").read_text())))
        parameters = spec["root"]["inputDefinitions"]["parameters"]
        unexplained = [argument for argument, definition in parameters.items() if not definition.get("description")]
        assert unexplained == [], f"{name} does not explain {unexplained}"


def test_tasks_that_change_the_world_are_never_cached() -> None:
    spec = next(iter(yaml.safe_load_all((COMPILED / "refresh_index.yaml").read_text())))
    tasks = spec["root"]["dag"]["tasks"]
    cached = {name for name, task in tasks.items() if task.get("cachingOptions", {}).get("enableCache")}
    assert cached == {"live-model", "plan-shards", "validate-catalogue"}
    (embedding,) = spec["components"]["comp-for-loop-1"]["dag"]["tasks"].values()
    assert embedding["cachingOptions"] == {"enableCache": True}, "an interrupted run goes on with the shards it has"


ARGUMENTS = {"catalogue": "c", "catalogue_digest": "d", "workspace": "w", "milvus_uri": "m", "recipe": "epochs: 1"}


def test_complete_arguments_pass() -> None:
    check_arguments(training, ARGUMENTS)


def test_a_misspelled_argument_is_refused_with_the_name_that_was_meant() -> None:
    with pytest.raises(PipelineError, match="takes no 'catalog'; did you mean 'catalogue'"):
        check_arguments(training, {**ARGUMENTS, "catalog": "x"})


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(PipelineError, match=r"needs \['recipe'\]"):
        check_arguments(training, {name: value for name, value in ARGUMENTS.items() if name != "recipe"})
