"""Files that a container refers to by `file:PATH` lie in a ConfigMap or Secret that it mounts."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from app.manifests.pods import Pod, listed, mapped, words
from app.manifests.reading import Document, Finding, by_name
from app.manifests.references import made_beforehand
from lookalike.references import FILE
from lookalike.stages.trust import SIGNING_KEY

SECRET = "Secret"
SOURCES = (("configMap", "ConfigMap", "name"), ("secret", SECRET, "secretName"))


def file_findings(documents: Sequence[Document], made: Sequence[Pod]) -> Iterator[Finding]:
    """References in arguments and variables; those in the service's settings are looked at with the settings."""
    for pod in made:
        for container in pod.containers:
            for name, path in _references(container):
                kind = held_in(path, container, pod, documents)
                told = f"{container.get('name')} refers to {path}, which"
                if not kind:
                    yield Finding(pod.owner, f"{told} no mounted ConfigMap or Secret has")
                elif name == SIGNING_KEY and kind != SECRET:
                    yield Finding(pod.owner, f"{told} is in a {kind}; a private key belongs into a Secret")


def held_in(path: str, container: dict[str, Any], pod: Pod, documents: Sequence[Document]) -> str:
    """Kind of the object mounted there that has, or will have, a file of this name; empty where none does."""
    mount = mount_of(path, container)
    volume = pod.volumes.get(str(mount.get("name")), {})
    for field, kind, name in SOURCES:
        if field in volume and str(PurePosixPath(path).parent) == str(mount.get("mountPath")):
            held = _keys(f"{kind}/{mapped(volume, field).get(name)}", documents)
            return kind if PurePosixPath(path).name in held else ""
    return ""


def _references(container: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths by the variable's name; an argument has none."""
    values = [("", word) for word in words(container)]
    values += [(str(each.get("name")), str(each.get("value", ""))) for each in listed(container, "env")]
    return ((name, value.removeprefix(FILE)) for name, value in values if value.startswith(FILE))


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
