"""Whether every field exists and has the right type: nothing unknown passes.

Kubernetes' own kinds are held to its published schemas. Other kinds are held to their CustomResourceDefinitions, made
strict, where a folder with them is given, and to `fields.yaml` otherwise; the pods and metadata inside them to
Kubernetes' schemas in both cases.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from app.manifests.pods import Pod, job_templates, own_fields
from app.manifests.reading import Document, Finding, name_of

KUBERNETES = "1.32.0"
"""The oldest version that the manifests are meant for: what it has, later ones have."""


def schema_findings(
    documents: Sequence[Document], made: Sequence[Pod], definitions: Mapping[str, dict[str, Any]]
) -> Iterator[Finding]:
    """`definitions` are schemas by kind, such as `read_definitions` reads."""
    for document in documents:
        schema = definitions.get(document["kind"]) or own_schema(document["kind"])
        if schema is None:
            yield from _core(name_of(document), document)
            continue
        wrong = best_match(Draft202012Validator(schema).iter_errors(document))
        yield from [] if wrong is None else [Finding(name_of(document), _told(wrong))]
        yield from _core(
            name_of(document), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": document.get("metadata")}
        )
        for job in job_templates(document) if document["kind"] == "TrainingRuntime" else []:
            whole = {"metadata": {}, **job, "apiVersion": "batch/v1", "kind": "Job"}
            yield from _core(name_of(document), whole)
    for pod in made:
        metadata = {"name": "pod", "labels": pod.labels}
        yield from _core(pod.owner, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod.spec})


def read_definitions(folder: Path) -> dict[str, dict[str, Any]]:
    """Strict schemas by kind from the CustomResourceDefinitions of a folder; each kind's first version."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.yaml")):
        for document in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                schema = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
                found[document["spec"]["names"]["kind"]] = strict(schema)
    return found


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema where an object has no fields but those it lists."""
    made = dict(schema)
    if "properties" in made:
        made["properties"] = {name: strict(field) for name, field in made["properties"].items()}
        made.setdefault("type", "object")
        if not made.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    for inner in ("items", "additionalProperties"):
        if isinstance(made.get(inner), dict):
            made[inner] = strict(made[inner])
    return made


@cache
def own_schema(kind: str) -> dict[str, Any] | None:
    """Of a kind in `fields.yaml`, whose pods are checked elsewhere; None for Kubernetes' own."""
    if kind not in own_fields():
        return None
    fields: dict[str, Any] = json.loads(json.dumps(own_fields()[kind]))
    fields["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"const": kind}, "metadata": {"type": "object"}}
    spec = fields["properties"]["spec"]["properties"]
    if kind == "ServingRuntime":
        fields["properties"]["spec"]["additionalProperties"] = True
    if kind == "InferenceService":
        for component in ("predictor", "transformer"):
            spec[component]["additionalProperties"] = True
            spec[component]["properties"]["model"]["additionalProperties"] = True
    return strict(fields)


def _core(where: str, document: Document) -> list[Finding]:
    wrong = _core_problem(json.dumps(document, sort_keys=True))
    return [Finding(where, wrong)] if wrong else []


@lru_cache(maxsize=10_000)
def _core_problem(text: str) -> str:
    """Of an object as JSON: overlays share most of theirs."""
    document = json.loads(text)
    validator = _core_validator(str(document["kind"]).lower(), str(document["apiVersion"]))
    if validator is None:
        return f"Kubernetes {KUBERNETES} has no {document['kind']} in {document['apiVersion']}"
    wrong = best_match(validator.iter_errors(document))
    return "" if wrong is None else _told(wrong)


@cache
def _core_validator(kind: str, version: str) -> Draft202012Validator | None:
    """As `kubernetes_validate.validate(strict=True)` makes one for every object, which takes a fifth of a second."""
    group, _, number = version.rpartition("/")
    name = f"{kind}-{group.split('.')[0]}-{number}.json" if group else f"{kind}-{number}.json"
    try:
        schema = _published(name)
    except FileNotFoundError:
        return None
    registry = Resource.from_contents(_published("_definitions.json")) @ Registry()
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry)


@cache
def _published(file: str) -> dict[str, Any]:
    """One of the strict schemas that kubernetes-validate brings."""
    schema: dict[str, Any] = schema_contents(f"kubernetes-json-schema/v{KUBERNETES}-local-strict/{file}", KUBERNETES)
    return schema


def _told(wrong: ValidationError) -> str:
    return f"{'.'.join(str(part) for part in wrong.absolute_path) or '(whole)'}: {wrong.message}"
