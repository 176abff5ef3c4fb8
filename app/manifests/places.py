"""What one container writes and another reads lies in the same place of the same volume."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from typer.core import TyperGroup
from typer.exceptions import TyperException

from app.manifests.commands import calls, parse
from app.manifests.mounted_files import mount_of
from app.manifests.pods import Pod, mapped, words
from app.manifests.reading import Document, Finding
from app.manifests.service_settings import served
from lookalike.workspace import Workspace

REPOSITORY = re.compile(r"--model-(?:repository|store)=(\S+)")
LOGS = ("query_log", "feedback")


class Spot(NamedTuple):
    """A path inside a volume of a pod."""

    volume: str
    path: str


class Place(NamedTuple):
    """A path inside a claim."""

    claim: str
    path: str


Used = tuple[str, str, Place | None]
"""What is used, by whom, and where; None where no claim is mounted there."""


def place_findings(documents: Sequence[Document], made: Sequence[Pod], root: TyperGroup) -> Iterator[Finding]:
    """Releases and models as the service, Triton and jobs see them; the logs as the service and the watch do."""
    first: dict[str, tuple[str, Place | None]] = {}
    for what, who, place in [*_of_service(documents, made, root), *_of_jobs(made, root), *_of_triton(made, root)]:
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


def _of_triton(made: Sequence[Pod], root: TyperGroup) -> Iterator[Used]:
    for pod in made:
        for container in pod.containers:
            for path in REPOSITORY.findall(" ".join(words(container))):
                place = place_of(Path(path), container, pod)
                origins = _mirrored(spot(Path(path), container), pod, root) if place is None else [place]
                yield from (("model_repository", pod.owner, origin) for origin in origins or [None])


def _mirrored(copies: Spot | None, pod: Pod, root: TyperGroup) -> list[Place | None]:
    """What each mirror of the pod copies from; None for one that copies to another place."""
    origins: list[Place | None] = []
    for call in calls([pod]):
        if call.arguments[:1] == ["mirror"]:
            with suppress(TyperException):  # said elsewhere
                asked = parse(root, call).options
                repository, served = (Path(asked.get(name, "")) for name in ("repository", "served"))
                there = copies is not None and spot(served, call.container) == copies
                origins.append(place_of(repository, call.container, pod) if there else None)
    return origins


def place_of(path: Path, container: dict[str, Any], pod: Pod) -> Place | None:
    """Where a path of a container lies, if it lies on a claim."""
    found = spot(path, container)
    if found is None:
        return None
    claim = mapped(pod.volumes.get(found.volume, {}), "persistentVolumeClaim").get("claimName")
    return None if claim is None else Place(str(claim), found.path)


def spot(path: Path, container: dict[str, Any]) -> Spot | None:
    """Where a path of a container lies in the volumes of its pod."""
    mount = mount_of(str(path), container)
    if not mount:
        return None
    inside = PurePosixPath(str(mount.get("subPath", ""))) / path.relative_to(mount["mountPath"])
    return Spot(str(mount.get("name")), str(inside))


def _told(place: Place | None) -> str:
    return "no volume" if place is None else f"{place.path} of {place.claim}"
