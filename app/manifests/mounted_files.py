"""Files that a container refers to by `file:PATH` lie in a ConfigMap or Secret that it mounts."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from app.manifests.pods import Pod, listed, mapped, words
from app.manifests.reading import Document, Finding, by_name
from app.manifests.references import made_beforehand
from lookalike.references import FILE

SOURCES = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))


def file_findings(documents: Sequence[Document], made: Sequence[Pod]) -> Iterator[Finding]:
    """References in arguments and variables; those in the service's settings are looked at with the settings."""
    for pod in made:
        for container in pod.containers:
            values = [*words(container), *(str(each.get("value", "")) for each in listed(container, "env"))]
            for path in (value.removeprefix(FILE) for value in values if value.startswith(FILE)):
                if not is_held(path, container, pod, documents):
                    told = f"{container.get('name')} refers to {path}, which no mounted ConfigMap or Secret has"
                    yield Finding(pod.owner, told)


def is_held(path: str, container: dict[str, Any], pod: Pod, documents: Sequence[Document]) -> bool:
    """Whether the ConfigMap or Secret mounted there has, or will have, a file of this name."""
    mount = mount_of(path, container)
    volume = pod.volumes.get(str(mount.get("name")), {})
    for field, kind, name in SOURCES:
        if field in volume and str(PurePosixPath(path).parent) == str(mount.get("mountPath")):
            return PurePosixPath(path).name in _keys(f"{kind}/{mapped(volume, field).get(name)}", documents)
    return False


def mount_of(path: str, container: dict[str, Any]) -> dict[str, Any]:
    """The innermost mount that holds a path; empty where none does."""
    holding = [
        mount
        for mount in listed(container, "volumeMounts")
        if PurePosixPath(path).is_relative_to(str(mount.get("mountPath")))
    ]
    return max(holding, key=lambda mount: len(str(mount["mountPath"])), default={})


def _keys(target: str, documents: Sequence[Document]) -> list[str]:
    beforehand = made_beforehand(documents).get(target)
    return [*mapped(by_name(documents).get(target, {}), "data")] if beforehand is None else beforehand
