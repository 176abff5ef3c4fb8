"""The pods that manifests make, whoever makes them: workloads of Kubernetes, KServe, or Kubeflow's Trainer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.manifests.reading import Document, by_name, name_of

TEMPLATES = {
    "Deployment": ("template",),
    "StatefulSet": ("template",),
    "DaemonSet": ("template",),
    "Job": ("template",),
    "CronJob": ("jobTemplate", "spec", "template"),
}
COMPONENTS = ("predictor", "transformer")
MAIN = "kserve-container"
TRAINER_SETS = ("PET_NNODES", "PET_NPROC_PER_NODE", "PET_NODE_RANK", "PET_MASTER_ADDR", "PET_MASTER_PORT")
"""Variables that Kubeflow's Trainer gives the container `node`; torchrun reads them as its options."""
PORT = re.compile(r"port[= ](\d+)")


@dataclass(frozen=True)
class Pod:
    """A pod as it will run, before what KServe or Knative adds on its own; but a transformer has its arguments."""

    owner: str
    """Kind/name of the object that makes it."""
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Those that run once at its start, too."""
        return [*listed(self.spec, "initContainers"), *listed(self.spec, "containers")]

    @property
    def volumes(self) -> dict[str, dict[str, Any]]:
        return {str(volume.get("name")): volume for volume in listed(self.spec, "volumes")}


def pods(documents: Sequence[Document]) -> list[Pod]:
    """One for each workload, each component of an InferenceService, each runtime of the Trainer and each TrainJob."""
    made: list[Pod] = []
    for document in documents:
        if document["kind"] in TEMPLATES:
            made.append(_of_workload(document))
        if document["kind"] == "InferenceService":
            parts = mapped(document, "spec")
            made.extend(_of_component(document, part, documents) for part in COMPONENTS if part in parts)
        if document["kind"] == "TrainingRuntime":
            made.extend(_of_runtime(document, name_of(document), {}))
        if document["kind"] == "TrainJob":
            name = mapped(document, "spec", "runtimeRef").get("name")
            runtime = by_name(documents).get(f"TrainingRuntime/{name}", {})
            made.extend(_of_runtime(runtime, name_of(document), mapped(document, "spec", "trainer")))
    return made


def listed(place: Any, key: str) -> list[dict[str, Any]]:
    """A list of mappings; what is none is left to the schemas to refuse."""
    found = place.get(key) if isinstance(place, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def mapped(place: Any, *keys: str) -> dict[str, Any]:
    """The mapping at the end of nested ones, in the same way."""
    for key in keys:
        place = place.get(key) if isinstance(place, dict) else None
    return place if isinstance(place, dict) else {}


def words(container: dict[str, Any]) -> list[str]:
    """Command and arguments."""
    parts = [container.get(key) for key in ("command", "args")]
    return [str(word) for part in parts if isinstance(part, list) for word in part]


def open_ports(container: dict[str, Any]) -> list[str | int]:
    """Names and numbers: those declared, and those its command line says it listens on.

    Knative lets a container declare one port only.
    """
    declared = listed(container, "ports")
    said = [int(number) for number in PORT.findall(" ".join(words(container)))]
    return [*(port[field] for port in declared for field in ("name", "containerPort") if field in port), *said]


@cache
def own_fields() -> dict[str, Any]:
    """`fields.yaml`: the fields of kinds that Kubernetes does not know."""
    fields: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "fields.yaml").read_text(encoding="utf-8"))
    return fields


def _of_workload(document: Document) -> Pod:
    template = mapped(document, "spec", *TEMPLATES[document["kind"]])
    spec = dict(mapped(template, "spec"))
    claims = [mapped(claim, "metadata").get("name") for claim in listed(document.get("spec"), "volumeClaimTemplates")]
    if claims:
        spec["volumes"] = [*listed(spec, "volumes"), *({"name": name, "emptyDir": {}} for name in claims)]
    return Pod(name_of(document), mapped(template, "metadata", "labels"), spec)


def job_templates(runtime: Document) -> list[dict[str, Any]]:
    """What the Trainer makes Jobs from."""
    return [mapped(each, "template") for each in listed(mapped(runtime, "spec", "template", "spec"), "replicatedJobs")]


def _of_runtime(runtime: Document, owner: str, changes: dict[str, Any]) -> Iterator[Pod]:
    """The pods of a runtime, with what a TrainJob's `trainer` changes in their container `node`."""
    given = [{"name": name, "value": "the Trainer's"} for name in TRAINER_SETS]
    for job in job_templates(runtime):
        template = mapped(job, "spec", "template")
        spec = dict(mapped(template, "spec"))
        spec["containers"] = [
            {
                **container,
                **{field: changes[field] for field in ("image", "command", "args") if field in changes},
                **({"resources": changes["resourcesPerNode"]} if "resourcesPerNode" in changes else {}),
                "env": [*listed(container, "env"), *listed(changes, "env"), *given],
            }
            if container.get("name") == "node"
            else container
            for container in listed(spec, "containers")
        ]
        yield Pod(owner, mapped(template, "metadata", "labels"), spec)


def _of_component(service: Document, component: str, documents: Sequence[Document]) -> Pod:
    """KServe merges a runtime's container with the model's fields, and its volumes with the component's."""
    part = mapped(service, "spec", component)
    extensions = own_fields()["InferenceService"]["properties"]["spec"]["properties"][component]["properties"]
    spec = {key: value for key, value in part.items() if key not in extensions}
    model = mapped(part, "model")
    if model:
        runtime = mapped(by_name(documents).get(f"ServingRuntime/{model.get('runtime')}", {}), "spec")
        said = own_fields()["InferenceService"]["properties"]["spec"]["properties"]["predictor"]["properties"]["model"]
        changed = {key: value for key, value in model.items() if key not in said["properties"]}
        own = own_fields()["ServingRuntime"]["properties"]["spec"]["properties"]
        spec = {**{key: value for key, value in runtime.items() if key not in own}, **spec}
        spec["containers"] = [{**container, **changed} for container in listed(runtime, "containers")]
        spec["volumes"] = [*listed(runtime, "volumes"), *listed(part, "volumes")]
    metadata = mapped(service, "metadata")
    name = metadata.get("name")
    if component == "transformer":
        spec["containers"] = [_as_started(each, metadata) for each in listed(spec, "containers")]
    labels = {"serving.kserve.io/inferenceservice": name, "component": component, **mapped(part, "labels")}
    return Pod(f"{name_of(service)} ({component})", labels, spec)


def _as_started(container: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    """KServe tells a transformer its name, its predictor and its port, each unless its `args` do so already."""
    if container.get("name") != MAIN or not isinstance(container.get("args", []), list):
        return container
    name, given = metadata.get("name"), container.get("args", [])
    told = {
        "--model_name": name,
        "--predictor_host": f"{name}-predictor.{metadata.get('namespace')}",
        "--http_port": "8080",
    }
    added = [word for option, value in told.items() if option not in given for word in (option, value)]
    return {**container, "args": [*given, *added]}
