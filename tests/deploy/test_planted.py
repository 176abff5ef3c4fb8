"""Mistakes planted in the overlays are found: some by hand with what is said of them, and a sample of all."""

from typing import Any

import pytest
from typer.core import TyperGroup

from app.manifests.check import check
from app.manifests.reading import Document
from benchmarks.cluster.manifests import SORTS, sample
from tests.deploy.planted_by_hand import Change, said_of

SEARCH = "InferenceService/lookalike"
RUNTIME = "ServingRuntime/lookalike-triton"


def transformer(objects: dict[str, Document]) -> dict[str, Any]:
    found: dict[str, Any] = objects[SEARCH]["spec"]["transformer"]
    return found


def container(objects: dict[str, Document]) -> dict[str, Any]:
    found: dict[str, Any] = transformer(objects)["containers"][0]
    return found


def settings(objects: dict[str, Document]) -> dict[str, str]:
    [name] = [name for name in objects if name.startswith("ConfigMap/lookalike-service-")]
    found: dict[str, str] = objects[name]["data"]
    return found


def _rename(mapping: dict[str, Any], old: str, new: str) -> None:
    mapping[new] = mapping.pop(old)


def _edit_settings(objects: dict[str, Document], old: str, new: str) -> None:
    text = settings(objects)["service.yaml"]
    assert old in text
    settings(objects)["service.yaml"] = text.replace(old, new)


BY_HAND: dict[str, tuple[Change, str]] = {
    "a misspelt field of KServe": (
        lambda objects: _rename(transformer(objects), "minReplicas", "minReplica"),
        "Additional properties are not allowed ('minReplica' was unexpected)",
    ),
    "a misspelt field of a container": (
        lambda objects: _rename(container(objects), "readinessProbe", "readynessProbe"),
        "'readynessProbe' was unexpected",
    ),
    "a misspelt setting of the service": (
        lambda objects: _edit_settings(objects, "wait_for_release", "wait_for_releases"),
        "unknown setting 'wait_for_releases'",
    ),
    "a setting that the service refuses": (
        lambda objects: _edit_settings(objects, "retry_seconds: 5", "retry_seconds: -5"),
        "retry_seconds is -5",
    ),
    "a canary in a mode without canaries": (
        lambda objects: transformer(objects).update(canaryTrafficPercent=10),
        "transformer.canaryTrafficPercent counts in mode Knative only",
    ),
    "an autoscaler that KServe does not know": (
        lambda objects: objects[SEARCH]["metadata"]["annotations"].update({"serving.kserve.io/autoscalerClass": "kpa"}),
        "serving.kserve.io/autoscalerClass is 'kpa'; hpa, keda, external, none are accepted",
    ),
    "a number in words": (
        lambda objects: transformer(objects).update(maxReplicas="many"),
        "'many' is not of type 'integer'",
    ),
    "a label that YAML reads as a truth": (
        lambda objects: objects["Namespace/lookalike"]["metadata"]["labels"].update(x=True),
        "metadata.labels.x: True is not of type 'string'",
    ),
    "a volume of no claim": (
        lambda objects: objects.pop("PersistentVolumeClaim/lookalike-workspace"),
        "PersistentVolumeClaim/lookalike-workspace is neither in the manifests nor said to be made beforehand",
    ),
    "a service before no pod": (
        lambda objects: objects["Service/lookalike-triton"]["spec"]["selector"].update(component="predict"),
        "which no pod has",
    ),
    "an address that is no service": (
        lambda objects: _edit_settings(objects, "lookalike-triton:8001", "triton:8001"),
        "triton_url is 'triton:8001', which is no Service with that port",
    ),
    "a verb that does not exist": (
        lambda objects: container(objects).update(command=["lookalike", "sreve"]),
        "there is no verb 'sreve'",
    ),
    "an option that does not exist": (
        lambda objects: container(objects).update(command=["lookalike", "serve", "--workspaces", "/workspace"]),
        "No such option: --workspaces",
    ),
    "models where Triton does not look": (
        lambda objects: objects["ServingRuntime/lookalike-triton"]["spec"]["containers"][0]["volumeMounts"][0].update(
            subPath="models"
        ),
        "model_repository of lookalike-workspace",
    ),
    "a metric that nothing exports": (
        lambda objects: objects["PrometheusRule/lookalike"]["spec"]["groups"][0]["rules"][0].update(
            expr="lookalike_no_such_total > 0"
        ),
        "reads lookalike_no_such_total, which nothing exports",
    ),
    "a secret that nobody makes": (
        lambda objects: transformer(objects)["volumes"][3]["secret"].update(secretName="api-keys"),
        "Secret/api-keys is neither in the manifests nor said to be made beforehand",
    ),
    "a key that a secret lacks": (
        lambda objects: container(objects)["env"][1]["valueFrom"]["secretKeyRef"].update(key="url"),
        "Secret/lookalike-online-store has no 'url'",
    ),
    "root": (
        lambda objects: transformer(objects)["securityContext"].update(runAsUser=0),
        "may run as root",
    ),
    "an image of whatever is newest": (
        lambda objects: container(objects).update(image="registry.example/lookalike-serving:latest"),
        "may be another tomorrow",
    ),
}


def mirror(objects: dict[str, Document]) -> dict[str, Any]:
    [found] = [each for each in objects[RUNTIME]["spec"]["containers"] if each["name"] == "mirror"]
    made: dict[str, Any] = found
    return made


IN_PRODUCTION: dict[str, tuple[Change, str]] = {
    "copies where Triton does not look": (
        lambda objects: mirror(objects)["args"].__setitem__(1, "/verified/copies"),
        "has its model_repository at no volume",
    ),
    "copies of another folder": (
        lambda objects: mirror(objects)["volumeMounts"][0].update(subPath="releases"),
        "has its model_repository at releases of lookalike-workspace",
    ),
    "trusted keys under another name": (
        lambda objects: mirror(objects)["args"].__setitem__(3, "file:/etc/lookalike/trusted/keys.yaml"),
        "mirror refers to /etc/lookalike/trusted/keys.yaml, which no mounted ConfigMap or Secret has",
    ),
    "trusted keys that nobody makes": (
        lambda objects: objects["Namespace/lookalike"]["metadata"]["annotations"].pop(
            "lookalike/made-beforehand.verified"
        ),
        "ConfigMap/lookalike-trusted-keys is neither in the manifests nor said to be made beforehand",
    ),
    "a port that KServe does not expect": (
        lambda objects: container(objects)["args"].extend(["--port", "9090"]),
        "KServe says --http_port 8080, the service's settings say 9090",
    ),
    "a variable that the verb does not read": (
        lambda objects: container(objects)["env"].append({"name": "LOOKALIKE_SIGNING_KEYS", "value": "x"}),
        "nobody reads the variable LOOKALIKE_SIGNING_KEYS",
    ),
}


@pytest.mark.parametrize("mistake", IN_PRODUCTION)
def test_is_found_where_releases_are_verified(mistake: str, production: list[Document], root: TyperGroup) -> None:
    change, said = IN_PRODUCTION[mistake]
    findings = said_of(change, production, root)
    assert any(said in what for what in findings), findings


@pytest.mark.parametrize("mistake", BY_HAND)
def test_is_found_and_named(mistake: str, local_cpu: list[Document], root: TyperGroup) -> None:
    change, said = BY_HAND[mistake]
    findings = said_of(change, local_cpu, root)
    assert any(said in what for what in findings), findings


def test_none_of_a_sample_of_every_sort_is_missed(production: list[Document], root: TyperGroup) -> None:
    drawn = sample(production, each=8, seed=22)
    assert {plant.sort for plant in drawn} == set(SORTS)
    assert [plant.where for plant in drawn if not check(plant.documents, root)] == []
