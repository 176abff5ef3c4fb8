"""Where releases are signed: Triton reads proven copies, the service has the trusted keys, one pod the private one."""

import copy
import os
from typing import Any

import pytest
from typer.core import TyperGroup

from app.manifests.check import check
from app.manifests.pods import Pod, listed, pods
from app.manifests.reading import Document, by_name, read_manifests
from tests.deploy.conftest import OVERLAYS

PARTS = OVERLAYS.parent / "parts"
PRIVATE = "lookalike-signing-key"


@pytest.fixture(scope="module")
def signed(_kustomize: None, tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """The overlay with a GPU, and both parts about signatures added to it."""
    folder = tmp_path_factory.mktemp("signed").resolve()
    parts = "".join(f"  - {os.path.relpath(PARTS / name, folder)}\n" for name in ("verified", "signing", "versions"))
    overlay = f"resources:\n  - {os.path.relpath(OVERLAYS / 'gpu', folder)}\ncomponents:\n{parts}"
    (folder / "kustomization.yaml").write_text(overlay, encoding="utf-8")
    return read_manifests(folder)


def pod_of(documents: list[Document], owner: str) -> Pod:
    [found] = [pod for pod in pods(documents) if pod.owner == owner]
    return found


def mounts(container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {mount["name"]: mount for mount in listed(container, "volumeMounts")}


def test_nothing_is_wrong_with_an_overlay_that_takes_both_parts(signed: list[Document], root: TyperGroup) -> None:
    assert check(signed, root) == []


def test_triton_reads_copies_alone_and_cannot_change_them(production: list[Document], signed: list[Document]) -> None:
    for documents in (production, signed):
        pod = pod_of(documents, "InferenceService/lookalike (predictor)")
        [triton] = [each for each in pod.spec["containers"] if each["name"] == "kserve-container"]
        assert "workspace" not in mounts(triton)
        assert mounts(triton)["verified"]["readOnly"] is True
        writers = [
            each["name"] for each in pod.containers if not mounts(each).get("verified", {"readOnly": 1}).get("readOnly")
        ]
        assert writers == ["mirror-once", "mirror"]
        assert all(mounts(each)["workspace"]["readOnly"] for each in pod.containers if each["name"] in writers)


def test_triton_starts_with_what_there_is_and_gets_what_comes_later(production: list[Document]) -> None:
    spec = pod_of(production, "InferenceService/lookalike (predictor)").spec
    [once] = [each["args"] for each in spec["initContainers"] if each["name"] == "mirror-once"]
    [beside] = [each["args"] for each in spec["containers"] if each["name"] == "mirror"]
    assert once == [*beside, "--once"]


def test_the_service_trusts_the_keys_that_the_mirror_trusts(production: list[Document]) -> None:
    [service] = pod_of(production, "InferenceService/lookalike (transformer)").containers
    [reference] = [each["value"] for each in service["env"] if each["name"] == "LOOKALIKE_TRUSTED_KEYS"]
    predictor = pod_of(production, "InferenceService/lookalike (predictor)")
    assert all(reference in each["args"] for each in predictor.containers if each["name"].startswith("mirror"))


def test_a_private_key_where_everybody_may_read_it_is_found(signed: list[Document], root: TyperGroup) -> None:
    objects = by_name(copy.deepcopy(signed))
    pod = objects["Job/lookalike-first-release"]["spec"]["template"]["spec"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "signing-key"]
    del volume["secret"]
    volume["configMap"] = {"name": "lookalike-signing"}
    made = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"signing_key.pem": "…"}}
    made["metadata"] = {"name": "lookalike-signing", "namespace": "lookalike"}
    [said] = [finding.what for finding in check([*objects.values(), made], root)]
    assert said.endswith("signing_key.pem, which is in a ConfigMap; a private key belongs into a Secret")


def test_only_pods_that_make_releases_have_the_private_key(overlay: list[Document], signed: list[Document]) -> None:
    def holders(documents: list[Document]) -> list[str]:
        return [pod.owner for pod in pods(documents) if PRIVATE in str(pod.spec)]

    assert holders(overlay) == []
    assert sorted(holders(signed)) == ["CronJob/lookalike-watch", "Job/lookalike-first-release"]
