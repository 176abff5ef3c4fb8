"""The overlay that trains: a TrainJob on a runtime of our own, and mistakes in either."""

from typing import Any

import pytest
from torch.distributed.run import get_args_parser
from typer.core import TyperGroup

from app.manifests.check import check
from app.manifests.commands import calls, parse
from app.manifests.pods import Pod, pods, words
from app.manifests.reading import Document, by_name
from app.recipes import PACKAGED
from benchmarks.cluster.manifests import SORTS, sample
from lookalike.config import load_config
from lookalike.training.recipe import Recipe
from tests.deploy.planted_by_hand import Change, said_of

JOB, RUNTIME = "TrainJob/lookalike-train", "TrainingRuntime/lookalike-train"


def trainer(documents: list[Document]) -> Pod:
    [pod] = [pod for pod in pods(documents) if pod.owner == JOB]
    return pod


def job_spec(objects: dict[str, Document]) -> dict[str, Any]:
    found: dict[str, Any] = objects[RUNTIME]["spec"]["template"]["spec"]["replicatedJobs"][0]["template"]
    return found


def node(objects: dict[str, Document]) -> dict[str, Any]:
    found: dict[str, Any] = job_spec(objects)["spec"]["template"]["spec"]["containers"][0]
    return found


def test_torchrun_takes_its_options_and_our_verb_takes_the_rest(training: list[Document], root: TyperGroup) -> None:
    [container] = trainer(training).containers
    line = words(container)
    assert line[0] == "torchrun"
    asked = get_args_parser().parse_args(line[1:])
    assert (asked.module, asked.training_script, asked.max_restarts) == (True, "app", 3)
    [call] = [call for call in calls(pods(training)) if call.pod.owner == JOB]
    assert call.arguments == asked.training_script_args
    assert parse(root, call).verb.name == "train"


def test_a_job_changes_what_its_runtime_says(training: list[Document]) -> None:
    [container] = trainer(training).containers
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "PET_MASTER_ADDR" in {variable["name"] for variable in container["env"]}


def test_its_recipe_can_be_trained_by_several_processes(training: list[Document]) -> None:
    [settings] = [each["data"] for name, each in by_name(training).items() if "lookalike-training-" in name]
    recipe = load_config(Recipe, PACKAGED / f"{settings['recipe']}.yaml")
    assert recipe.encoder.batch_norm == "frozen"


def test_production_is_the_same_but_for_the_training(training: list[Document], production: list[Document]) -> None:
    added = by_name(training).keys() - by_name(production).keys()
    assert {name.partition("/")[0] for name in added} == {"ConfigMap", "NetworkPolicy", "TrainJob", "TrainingRuntime"}


BY_HAND: dict[str, tuple[Change, str]] = {
    "a runtime of another kind": (
        lambda objects: objects[JOB]["spec"]["runtimeRef"].pop("kind"),
        "ClusterTrainingRuntime/lookalike-train is not in the manifests",
    ),
    "a variable that is the Trainer's": (
        lambda objects: objects[JOB]["spec"]["trainer"].update(env=[{"name": "PET_NNODES", "value": "2"}]),
        "the Trainer sets PET_NNODES itself",
    ),
    "a container that the Trainer does not know": (
        lambda objects: node(objects).update(name="train"),
        "the Trainer looks for a container 'node'; there are ['train']",
    ),
    "a job that is no trainer": (
        lambda objects: job_spec(objects)["metadata"]["labels"].clear(),
        "trainjob-ancestor-step: trainer; they have [None]",
    ),
    "another version": (
        lambda objects: objects[JOB].update(apiVersion="trainer.kubeflow.org/v2"),
        "is of 'trainer.kubeflow.org/v2'",
    ),
    "a field of the first Trainer": (
        lambda objects: objects[JOB]["spec"]["trainer"].update(nprocPerNode=2),
        "'nprocPerNode' was unexpected",
    ),
    "a misspelt field of its Job": (
        lambda objects: job_spec(objects)["spec"].update(backofLimit=0),
        "'backofLimit' was unexpected",
    ),
    "an option that the verb lacks": (
        lambda objects: node(objects)["args"].append("--epoch"),
        "No such option: --epoch",
    ),
    "a recipe that is not given": (
        lambda objects: node(objects)["env"].pop(0),
        "RECIPE",
    ),
    "a bucket's keys that nobody makes": (
        lambda objects: node(objects)["env"][5]["valueFrom"]["secretKeyRef"].update(name="bucket"),
        "Secret/bucket is neither in the manifests nor said to be made beforehand",
    ),
}


@pytest.mark.parametrize("mistake", BY_HAND)
def test_a_mistake_is_found_and_named(mistake: str, training: list[Document], root: TyperGroup) -> None:
    change, said = BY_HAND[mistake]
    findings = said_of(change, training, root)
    assert any(said in what for what in findings), findings


def test_no_planted_mistake_in_a_training_is_missed(training: list[Document], root: TyperGroup) -> None:
    drawn = [
        plant for plant in sample(training, each=10_000, seed=0) if plant.where.startswith(("TrainJob", "Training"))
    ]
    assert {plant.sort for plant in drawn} == set(SORTS)
    assert [(plant.sort, plant.where) for plant in drawn if not check(plant.documents, root)] == []
