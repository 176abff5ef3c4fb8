"""What every container must be: of a fixed version, without root, without a file system to write to, within limits."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.manifests.pods import Pod, mapped
from app.manifests.reading import Finding

VERSION = re.compile(r"v?\d+\.\d+[\w.+-]*")
"""A tag that names a version, and not a line of versions, such as 7, or whatever is newest."""
DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
REQUIRED = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def safety_findings(made: Sequence[Pod]) -> Iterator[Finding]:
    """Images whose content may change, users that may be root, containers that may write, escalate or grow."""
    tags: dict[str, str] = {}
    for pod in made:
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield Finding(pod.owner, "has a token for the Kubernetes API, which nothing of ours asks")
        yield from (Finding(pod.owner, f"uses {field}") for field in _host(pod))
        for container in pod.containers:
            named = f"{container.get('name')}:"
            yield from (Finding(pod.owner, f"{named} {wrong}") for wrong in _image(container.get("image"), tags))
            yield from (Finding(pod.owner, f"{named} {wrong}") for wrong in _rights(pod, container))
            resources = mapped(container, "resources")
            for kind, resource in REQUIRED:
                if resource not in mapped(resources, kind):
                    yield Finding(pod.owner, f"{named} resources.{kind}.{resource} is not set")


def _host(pod: Pod) -> Iterator[str]:
    yield from (field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(field))
    yield from (f"hostPath {name!r}" for name, volume in pod.volumes.items() if "hostPath" in volume)


def _image(image: Any, tags: dict[str, str]) -> Iterator[str]:
    if not isinstance(image, str) or DIGEST.fullmatch(image):
        return
    name, _, tag = image.rpartition(":")
    if not name or "/" in tag:
        yield f"image {image!r} has no tag; give a version or a digest"
    elif not VERSION.fullmatch(tag):
        yield f"image {image!r} may be another tomorrow; give a version or a digest"
    elif tags.setdefault(name, tag) != tag:
        yield f"image {image!r} is {tags[name]} elsewhere; versions are set in one place"


def _rights(pod: Pod, container: dict[str, Any]) -> Iterator[str]:
    own = mapped(container, "securityContext")
    both = {**mapped(pod.spec, "securityContext"), **own}
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "may run as root; set runAsNonRoot, and a runAsUser other than 0"
    if both.get("runAsGroup") == 0 or both.get("fsGroup") == 0:
        yield "runs in root's group"
    if both.get("privileged") or own.get("allowPrivilegeEscalation") is not False:
        yield "may gain rights; set allowPrivilegeEscalation: false"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "may write into its image; set readOnlyRootFilesystem: true"
    if mapped(own, "capabilities").get("drop") != ["ALL"] or mapped(own, "capabilities").get("add"):
        yield "keeps capabilities; drop ALL and add none"
    if mapped(both, "seccompProfile").get("type") not in ("RuntimeDefault", "Localhost"):
        yield "may make any system call; set seccompProfile"
