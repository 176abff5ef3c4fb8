"""What one container writes and another reads lies in the same place of the same volume."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from typer.core import TyperGroup
from typer.exceptions import TyperException

from app.manifests.commands import calls, parse
from app.manifests.pods import Pod, listed, mapped, words
from app.manifests.reading import Document, Finding
from app.manifests.service_settings import served
from lookalike.workspace import Workspace

REPOSITORY = re.compile(r"--model-(?:repository|store)=(\S+)")
LOGS = ("query_log", "feedback")


class Place(NamedTuple):
    """A path inside a claim."""

    claim: str
    path: str


Used = tuple[str, str, Place | None]
"""What is used, by whom, and where; None where no claim is mounted there."""


def place_findings(documents: Sequence[Document], made: Sequence[Pod], root: TyperGroup) -> Iterator[Finding]:
    """Releases and models as the service, Triton and jobs see them; the logs as the service and the watch do."""
    first: dict[str, tuple[str, Place | None]] = {}
    for what, who, place in [*_of_service(documents, made, root), *_of_jobs(made, root), *_of_triton(made)]:
        owner, expected = first.setdefault(what, (who, place))
        if place is None or place != expected:
            yield Finding(who, f"has its {what} at {_told(place)}, {owner} at {_told(expected)}")
        elif PurePosixPath(place.path).name != what:  # other readers, such as Kubeflow's tasks, are not seen here
            yield Finding(who, f"has its {what} at {_told(place)}; a workspace calls it {what}")


def _of_service(documents: Sequence[Document], made: Sequence[Pod], root: TyperGroup) -> Iterator[Used]:
    for call, settings in served(documents, made, root):
        for what in ("releases", "model_repository", *LOGS):
            path = getattr(settings, what)
            if path is not None:
                yield what, call.pod.owner, place_of(path, call.container, call.pod)


def _of_jobs(made: Sequence[Pod], root: TyperGroup) -> Iterator[Used]:
    for call in calls(made):
        try:
            asked = parse(root, call).options
        except TyperException:
            continue  # said elsewhere
        if "workspace" in asked and call.arguments[0] != "serve":
            shop = Workspace(Path(asked["workspace"]))
            logs = LOGS if call.arguments[0] == "watch" else ()
            for what in ("releases", "model_repository", *logs):
                yield what, call.pod.owner, place_of(getattr(shop, what), call.container, call.pod)


def _of_triton(made: Sequence[Pod]) -> Iterator[Used]:
    for pod in made:
        for container in pod.containers:
            for path in REPOSITORY.findall(" ".join(words(container))):
                yield "model_repository", pod.owner, place_of(Path(path), container, pod)


def place_of(path: Path, container: dict[str, Any], pod: Pod) -> Place | None:
    """Where a path of a container lies."""
    holding = [each for each in listed(container, "volumeMounts") if path.is_relative_to(str(each.get("mountPath")))]
    mount = max(holding, key=lambda each: len(str(each["mountPath"])), default={})
    claim = mapped(pod.volumes.get(str(mount.get("name")), {}), "persistentVolumeClaim").get("claimName")
    if claim is None:
        return None
    return Place(str(claim), str(PurePosixPath(str(mount.get("subPath", ""))) / path.relative_to(mount["mountPath"])))


def _told(place: Place | None) -> str:
    return "no volume" if place is None else f"{place.path} of {place.claim}"
