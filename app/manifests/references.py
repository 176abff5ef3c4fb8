"""What objects name must be there: in the manifests, or said to be made beforehand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from app.manifests.pods import Pod, listed, mapped
from app.manifests.reading import Document, Finding, by_name, name_of, of_kind

BEFOREHAND = "lookalike/made-beforehand"
"""Annotations of the Namespace that begin so: YAML of Kind/name and its keys, for objects that are made by hand or by
other tools. A part of the manifests brings its own."""


class Reference(NamedTuple):
    """A name in a pod, and the key of it that is meant."""

    target: str
    """Kind/name."""
    key: str | None = None


def reference_findings(documents: Sequence[Document], made: Sequence[Pod]) -> Iterator[Finding]:
    """Names of objects that are nowhere, keys they do not have, volumes that a container mounts and its pod lacks."""
    known = by_name(documents)
    beforehand = made_beforehand(documents)
    for pod in made:
        for reference in references(pod):
            yield from _missing(pod.owner, reference, known, beforehand)
        yield from _unknown_volumes(pod)
    for stateful in of_kind(documents, "StatefulSet"):
        service = mapped(stateful, "spec").get("serviceName")
        yield from _missing(name_of(stateful), Reference(f"Service/{service}"), known, beforehand)
    for service in of_kind(documents, "InferenceService"):
        yield from _runtime(service, known)


def made_beforehand(documents: Sequence[Document]) -> dict[str, list[str]]:
    """Keys by Kind/name of what the namespace says is made beforehand."""
    declared: dict[str, list[str]] = {}
    for namespace in of_kind(documents, "Namespace"):
        for name, text in mapped(namespace, "metadata", "annotations").items():
            if str(name).startswith(BEFOREHAND):
                read = yaml.safe_load(text) if isinstance(text, str) else None
                declared |= read if isinstance(read, dict) else {}
    return declared


def references(pod: Pod) -> Iterator[Reference]:
    """Every object that the pod cannot start without."""
    if "serviceAccountName" in pod.spec:
        yield Reference(f"ServiceAccount/{pod.spec['serviceAccountName']}")
    for secret in listed(pod.spec, "imagePullSecrets"):
        yield Reference(f"Secret/{secret.get('name')}")
    for volume in pod.volumes.values():
        yield from _of_volume(volume)
        for source in listed(volume.get("projected"), "sources"):
            yield from _of_volume(source)
    for container in pod.containers:
        yield from _of_container(container, pod)


def _of_volume(volume: Mapping[str, Any]) -> Iterator[Reference]:
    claim = mapped(volume, "persistentVolumeClaim")
    if claim:
        yield Reference(f"PersistentVolumeClaim/{claim.get('claimName')}")
    for field, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        source = mapped(volume, field)
        if source and not source.get("optional"):
            target = f"{kind}/{source.get(name, source.get('name'))}"
            yield Reference(target)
            yield from (Reference(target, item.get("key")) for item in listed(source, "items"))


def _of_container(container: Mapping[str, Any], pod: Pod) -> Iterator[Reference]:
    for variable in listed(container, "env"):
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            chosen = mapped(variable, "valueFrom", field)
            if chosen and not chosen.get("optional"):
                yield Reference(f"{kind}/{chosen.get('name')}", chosen.get("key"))
    for source in listed(container, "envFrom"):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if mapped(source, field):
                yield Reference(f"{kind}/{mapped(source, field).get('name')}")
    for mount in listed(container, "volumeMounts"):  # a subPath of a ConfigMap or Secret is one of its keys
        volume = pod.volumes.get(str(mount.get("name")), {})
        if "subPath" in mount and ("configMap" in volume or "secret" in volume):
            yield from (Reference(source.target, mount["subPath"]) for source in _of_volume(volume))


def _missing(
    where: str, reference: Reference, known: Mapping[str, Document], beforehand: Mapping[str, list[str]]
) -> Iterator[Finding]:
    target, key = reference
    if target in known:
        keys = [*mapped(known[target], "data"), *mapped(known[target], "stringData")]
    elif target in beforehand:
        keys = beforehand[target]
    else:
        yield Finding(where, f"{target} is neither in the manifests nor said to be made beforehand")
        return
    if key is not None and key not in keys:
        yield Finding(where, f"{target} has no {key!r}; it has {keys}")


def _unknown_volumes(pod: Pod) -> Iterator[Finding]:
    for container in pod.containers:
        for mount in listed(container, "volumeMounts"):
            if str(mount.get("name")) not in pod.volumes:
                mounted = f"{container.get('name')} mounts {mount.get('name')!r}"
                yield Finding(pod.owner, f"{mounted}, which is none of the pod's volumes")


def _runtime(service: Document, known: Mapping[str, Document]) -> Iterator[Finding]:
    model = mapped(service, "spec", "predictor", "model")
    target = f"ServingRuntime/{model.get('runtime')}"
    if not model:
        return
    if target not in known:
        yield Finding(name_of(service), f"{target} is not in the manifests")
        return
    runtime, wanted = mapped(known[target], "spec"), mapped(model, "modelFormat")
    formats = [(each.get("name"), each.get("version")) for each in listed(runtime, "supportedModelFormats")]
    if (wanted.get("name"), wanted.get("version")) not in formats:
        yield Finding(name_of(service), f"{target} runs {formats}, not {wanted.get('name')} {wanted.get('version')}")
    protocol = model.get("protocolVersion")
    if protocol not in runtime.get("protocolVersions", []):
        yield Finding(name_of(service), f"{target} does not speak {protocol}")
