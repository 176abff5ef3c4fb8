"""Manifests as data: from a file, or from a folder that kustomize builds."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lookalike.errors import BackendUnavailable, ConfigError

Document = dict[str, Any]
OLDEST = (4, 0, 5)
"""Of kustomize: earlier ones, such as in kubectl 1.20, know no components."""


class Finding(NamedTuple):
    """One thing that is wrong."""

    where: str
    """Kind/name of the object."""
    what: str
    """A sentence."""


def read_manifests(place: Path) -> list[Document]:
    """All objects of a YAML file or of a folder with a kustomization.yaml.

    Raises ConfigError for what is no manifest or cannot be built, BackendUnavailable without a kustomize.
    """
    text = build(place) if place.is_dir() else _read(place)
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise ConfigError(f"{place} is not valid YAML: {error}") from error
    for document in documents:
        if not (isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys()):
            raise ConfigError(f"{place} holds something that is no Kubernetes object: it needs apiVersion and kind")
    return documents


def build(folder: Path) -> str:
    """What `kubectl apply -k` would apply. Raises as `read_manifests`."""
    made = subprocess.run([*kustomize(), str(folder)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise ConfigError(f"kustomize cannot build {folder}: {made.stderr.strip()}")
    return made.stdout


def kustomize() -> list[str]:
    """The command that builds a folder: kustomize itself, or the one in kubectl. Raises BackendUnavailable."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    if shutil.which("kubectl") and _version_in_kubectl() >= OLDEST:
        return ["kubectl", "kustomize"]
    raise BackendUnavailable("no kustomize is here, nor a kubectl of version 1.21 or later")


def name_of(document: Document) -> str:
    """Kind/name, as people and errors name an object."""
    return f"{document['kind']}/{(document.get('metadata') or {}).get('name', '(no name)')}"


def of_kind(documents: Iterable[Document], kind: str) -> list[Document]:
    """The objects of one kind."""
    return [document for document in documents if document["kind"] == kind]


def by_name(documents: Iterable[Document]) -> dict[str, Document]:
    """Objects by Kind/name."""
    return {name_of(document): document for document in documents}


def _version_in_kubectl() -> tuple[int, ...]:
    told = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=False)
    version = json.loads(told.stdout or "{}").get("kustomizeVersion", "v0")
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error
