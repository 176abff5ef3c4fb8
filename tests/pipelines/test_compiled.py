"""The YAML a person uploads is what the source says, and what KFP's own specification describes."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict, ParseError
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig, PipelineSpec, PlatformSpec

from benchmarks.cluster.compiled import read_compiled, tasks_of
from lookalike.errors import PipelineError
from pipelines.arguments import check_arguments
from pipelines.cluster import TASKS
from pipelines.compile import COMPONENTS, FLOWS, compile_pipelines, stale_pipelines
from pipelines.compiled import COMPILED
from pipelines.training import training

EVERYTHING = sorted(COMPILED.rglob("*.yaml"))
ALWAYS = {
    "training": {
        "find-champion",
        "read-delivery",
        "read-recipe",
        "collect-feedback",
        "build-index",
        "materialise-features",
        "release-model",
        "tell-outcome",
    },
    "refresh_index": {
        "find-champion",
        "read-delivery",
        "merge-shards",
        "materialise-features",
        "release-model",
        "tell-outcome",
    },
    "watch": {"read-delivery", "detect-drift", "decide-action", "start-runs", "tell-outcome"},
}
"""Tasks that look at the world outside their inputs, or change it."""


def strictly(pipeline: Any, platform: Any) -> PipelineSpec:
    """Parse both documents, executors too, which the specification itself leaves open. Raises ParseError."""
    spec = ParseDict(pipeline, PipelineSpec())
    ParseDict(pipeline["deploymentSpec"], PipelineDeploymentConfig())
    ParseDict(platform, PlatformSpec())
    for executors in platform.get("platforms", {}).values():
        for executor in executors["deploymentSpec"]["executors"].values():
            ParseDict(executor, KubernetesExecutorConfig())
    return spec


def test_checked_in_files_are_byte_for_byte_what_the_source_compiles_to(tmp_path: Path) -> None:
    compile_pipelines(tmp_path)
    assert stale_pipelines(COMPILED, tmp_path) == [], "run `make pipelines` and commit the result"


def test_a_changed_file_and_one_that_nobody_makes_are_noticed(tmp_path: Path) -> None:
    shutil.copytree(COMPILED, tmp_path / "old")
    changed, renamed = tmp_path / "old" / "watch.yaml", tmp_path / "old" / COMPONENTS / "train_model.yaml"
    changed.write_text(changed.read_text() + "# edited by hand\n")
    renamed.rename(renamed.with_name("forgotten.yaml"))
    names = [f"{COMPONENTS}/forgotten.yaml", f"{COMPONENTS}/train_model.yaml", "watch.yaml"]
    assert stale_pipelines(tmp_path / "old", COMPILED) == names


def test_every_component_is_checked_in_by_itself() -> None:
    assert {path.stem for path in (COMPILED / COMPONENTS).glob("*.yaml")} == TASKS


@pytest.mark.parametrize("file", EVERYTHING, ids=lambda file: file.stem)
def test_every_file_is_a_pipeline_by_kfp_s_specification_without_a_field_too_many(file: Path) -> None:
    pipeline, platform = read_compiled(file)
    spec = strictly(pipeline, platform)
    assert spec.sdk_version == "kfp-2.17.0"
    assert bool(platform) == (file.parent == COMPILED), "components are placed by who uses them"


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ((0, "root", "dag"), "pipeline"),
        ((0, "deploymentSpec", "executors", "exec-train-model", "container"), "deployment"),
        ((1, "platforms", "kubernetes"), "platform"),
        ((1, "platforms", "kubernetes", "deploymentSpec", "executors", "exec-train-model"), "executor"),
    ],
)
def test_a_misspelt_field_would_be_refused(place: tuple[Any, ...], where: str) -> None:
    documents: Any = read_compiled(COMPILED / "training.yaml")
    inner = documents
    for step in place:
        inner = inner[step]
    inner["misspelt"] = {}
    with pytest.raises(ParseError, match="misspelt"):
        strictly(*documents)


@pytest.mark.parametrize("file", EVERYTHING, ids=lambda file: file.stem)
def test_every_parameter_of_the_form_is_explained_and_typed(file: Path) -> None:
    pipeline, _ = read_compiled(file)
    form = pipeline["root"].get("inputDefinitions", {}).get("parameters", {})
    own = {name: given for name, given in form.items() if given["parameterType"] != "TASK_FINAL_STATUS"}
    assert [name for name, given in own.items() if not given.get("description")] == []
    wrong = [name for name, given in own.items() if given.get("isOptional") and not _fits(given)]
    assert wrong == [], "a default is of its parameter's type"


def _fits(given: dict[str, Any]) -> bool:
    kinds = {
        "STRING": str,
        "NUMBER_INTEGER": int,
        "NUMBER_DOUBLE": float,
        "STRUCT": dict,
        "LIST": list,
        "BOOLEAN": bool,
    }
    default = given["defaultValue"]
    return isinstance(
        int(default) if given["parameterType"] == "NUMBER_INTEGER" else default, kinds[given["parameterType"]]
    )


@pytest.mark.parametrize("name", list(FLOWS))
def test_every_task_has_a_name_that_a_person_reads(name: str) -> None:
    pipeline, _ = read_compiled(COMPILED / f"{name}.yaml")
    titles = [task.title for task in tasks_of(pipeline).values()]
    assert len(set(titles)) == len(titles)
    assert all(re.fullmatch(r"[A-Z][a-zA-Z, ]+", title) for title in titles), titles


@pytest.mark.parametrize("name", list(FLOWS))
def test_the_tasks_that_touch_the_world_are_those_that_are_never_taken_from_the_cache(name: str) -> None:
    pipeline, _ = read_compiled(COMPILED / f"{name}.yaml")
    assert {task.name for task in tasks_of(pipeline).values() if not task.cached} == ALWAYS[name]


@pytest.mark.parametrize("name", list(FLOWS))
def test_every_task_says_whether_it_is_cached(name: str) -> None:
    """KFP caches what says nothing; both ways are written down in the source, and so in the file."""
    pipeline, _ = read_compiled(COMPILED / f"{name}.yaml")
    graphs = [pipeline["root"]["dag"], *(one["dag"] for one in pipeline["components"].values() if "dag" in one)]
    running = {name for name, one in pipeline["components"].items() if "executorLabel" in one}
    silent = [
        task
        for graph in graphs
        for task, spec in graph["tasks"].items()
        if spec["componentRef"]["name"] in running and "cachingOptions" not in spec
    ]
    assert silent == []


@pytest.mark.parametrize("name", list(FLOWS))
def test_every_task_but_the_notice_is_tried_again_with_longer_and_longer_waits(name: str) -> None:
    pipeline, _ = read_compiled(COMPILED / f"{name}.yaml")
    graphs = [pipeline["root"]["dag"], *(one["dag"] for one in pipeline["components"].values() if "dag" in one)]
    tasks = {task: spec for graph in graphs for task, spec in graph["tasks"].items() if task in tasks_of(pipeline)}
    waits = {"maxRetryCount": 3, "backoffDuration": "30s", "backoffFactor": 2.0, "backoffMaxDuration": "600s"}
    assert {task for task, spec in tasks.items() if spec.get("retryPolicy") != waits} == {"tell-outcome"}


@pytest.mark.parametrize("name", list(FLOWS))
def test_the_notice_comes_after_everything_however_it_ended(name: str) -> None:
    pipeline, _ = read_compiled(COMPILED / f"{name}.yaml")
    told = pipeline["root"]["dag"]["tasks"]["tell-outcome"]
    (steps,) = told["dependentTasks"]
    assert told["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert told["inputs"]["parameters"]["status"] == {"taskFinalStatus": {"producerTask": steps}}
    assert set(pipeline["root"]["dag"]["tasks"]) == {"tell-outcome", steps}


def test_what_a_person_looks_at_is_an_artifact_that_the_interface_draws() -> None:
    pipeline, _ = read_compiled(COMPILED / "training.yaml")
    shown = {
        (component.removeprefix("comp-"), name): made["artifactType"]["schemaTitle"]
        for component, one in pipeline["components"].items()
        for name, made in one.get("outputDefinitions", {}).get("artifacts", {}).items()
        if "executorLabel" in one
    }
    assert shown["evaluate-model", "confusion"] == shown["evaluate-model", "roc"] == "system.ClassificationMetrics"
    assert shown["evaluate-model", "report"] == "system.HTML"
    assert shown["promotion-gate", "verdict"] == shown["validate-catalogue", "summary"] == "system.Markdown"
    assert shown["train-model", "metrics"] == "system.Metrics"


ARGUMENTS = {"catalogue": "c", "workspace": "w", "recipe": "epochs: 1"}


def test_complete_arguments_pass() -> None:
    check_arguments(training, ARGUMENTS)


def test_a_misspelled_argument_is_refused_with_the_name_that_was_meant() -> None:
    with pytest.raises(PipelineError, match="takes no 'catalog'; did you mean 'catalogue'"):
        check_arguments(training, {**ARGUMENTS, "catalog": "x"})


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(PipelineError, match=r"needs \['recipe'\]"):
        check_arguments(training, {name: value for name, value in ARGUMENTS.items() if name != "recipe"})
