"""What tasks get of a cluster, from one settings file that fits the manifests."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.manifests.reading import by_name, of_kind, read_manifests
from app.manifests.references import made_beforehand
from benchmarks.cluster.compiled import read_compiled
from lookalike.config import parse_config
from lookalike.errors import ConfigError
from pipelines.cluster import ClusterSettings, read_cluster
from pipelines.compile import FLOWS, compile_pipelines
from pipelines.compiled import COMPILED

DEPLOY = Path(__file__).parents[2] / "deploy"
PRODUCTION = DEPLOY / "overlays" / "production"
SIGNING = DEPLOY / "parts" / "signing"
"""Whose key the task that releases has in production, where no pod of the manifests makes releases."""


def placed(name: str) -> dict[str, Any]:
    """What the platform gives to each task of a compiled pipeline."""
    _, platform = read_compiled(COMPILED / f"{name}.yaml")
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {label.removeprefix("exec-"): given for label, given in executors.items()}


def secrets(given: dict[str, Any]) -> set[tuple[str, str, str]]:
    """(Secret, key, variable)."""
    named = [(one["secretName"], key) for one in given.get("secretAsEnv", ()) for key in one["keyToEnv"]]
    return {(name, key["secretKey"], key["envVar"]) for name, key in named}


def mounts(given: dict[str, Any]) -> set[tuple[str, str]]:
    """(claim, path)."""
    return {(one["constant"], one["mountPath"]) for one in given["pvcMount"]}


def containers(name: str) -> dict[str, Any]:
    pipeline, _ = read_compiled(COMPILED / f"{name}.yaml")
    executors = pipeline["deploymentSpec"]["executors"].items()
    return {label.removeprefix("exec-"): one["container"] for label, one in executors}


def test_claims_and_secrets_named_are_those_of_the_production_overlay() -> None:
    files = (DEPLOY / "base" / "storage.yaml", *(place / "made-beforehand.yaml" for place in (PRODUCTION, SIGNING)))
    documents = [document for file in files for document in read_manifests(file)]
    settings, beforehand = read_cluster(), made_beforehand(documents)
    claims = {f"PersistentVolumeClaim/{volume.claim}" for volume in settings.volumes}
    assert claims <= set(by_name(documents))
    for secret in settings.secrets:
        assert secret.key in beforehand[f"Secret/{secret.secret}"]


def test_tasks_mount_logs_where_the_watch_of_the_manifests_does() -> None:
    (watch,) = of_kind(read_manifests(DEPLOY / "base" / "watch.yaml"), "CronJob")
    pod = watch["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    claims = {volume["name"]: volume.get("persistentVolumeClaim", {}).get("claimName") for volume in pod["volumes"]}
    theirs = pod["containers"][0]["volumeMounts"]
    found = {(claims[one["name"]], one["mountPath"], one.get("subPath", "")) for one in theirs if claims[one["name"]]}
    assert {(volume.claim, volume.path, volume.folder) for volume in read_cluster().volumes} == found


def test_pods_carry_the_label_by_which_network_policies_let_jobs_out() -> None:
    policies = read_manifests(DEPLOY / "base" / "network.yaml")
    selector = by_name(policies)["NetworkPolicy/jobs"]["spec"]["podSelector"]["matchLabels"]
    for name in FLOWS:
        assert all(selector.items() <= given["podMetadata"]["labels"].items() for given in placed(name).values())


def test_images_are_those_of_the_overlay_s_registry() -> None:
    versions = yaml.safe_load((DEPLOY / "parts" / "versions" / "kustomization.yaml").read_text())
    (ours,) = (one for one in versions["images"] if one["name"] == "lookalike-components")
    assert containers("training")["train-model"]["image"] == f"{ours['newName']}:{ours['newTag']}"


def test_the_workspace_is_mounted_into_every_task() -> None:
    for name in FLOWS:
        assert all(("lookalike-workspace", "/workspace") in mounts(given) for given in placed(name).values())


def test_secrets_go_to_the_tasks_that_need_them_alone() -> None:
    with_secrets = {task: secrets(given) for task, given in placed("training").items() if given.get("secretAsEnv")}
    milvus = {("lookalike-milvus", "token", "MILVUS_TOKEN")}
    assert with_secrets == {
        "build-index": milvus,
        "release-model": milvus | {("lookalike-signing-key", "signing_key.pem", "SIGNING_KEY")},
        "materialise-features": {("lookalike-online-store", "connection", "REDIS_CONNECTION")},
    }


def test_the_gpu_and_its_nodes_are_the_training_s_alone() -> None:
    wants = {task: container["resources"] for task, container in containers("training").items()}
    assert {task for task, resources in wants.items() if "accelerator" in resources} == {"train-model"}
    assert wants["train-model"]["accelerator"]["resourceCount"] == "1"
    assert {task for task, given in placed("training").items() if "tolerations" in given} == {"train-model"}
    assert all(resources["resourceMemoryLimit"] for resources in wants.values()), "nothing takes a node's whole memory"


def test_nobody_is_root_and_tags_are_not_pulled_twice() -> None:
    for name in FLOWS:
        for given in placed(name).values():
            assert given["securityContext"]["runAsNonRoot"]
            assert given["imagePullPolicy"] == "IfNotPresent"


def test_every_setting_reaches_the_compiled_pipeline(tmp_path: Path) -> None:
    """One of each, unlike the shipped ones."""
    settings = {
        "registry": "here.example/shop/",
        "image_pull_policy": "Always",
        "image_pull_secrets": ["pull"],
        "user": 7,
        "labels": {"team": "search"},
        "kinds": {
            "light": {"cpu_limit": "750m"},
            "big": {"accelerators": 4, "accelerator": "amd.com/gpu", "node_selector": {"pool": "gpu"}},
        },
        "kind_of": {"train_model": "big"},
        "volumes": [{"claim": "own", "path": "/data", "folder": "shop"}],
        "secrets": [{"secret": "signing", "key": "pem", "variable": "PEM", "tasks": ["release_model"]}],
        "variables": [{"variable": "LOOKALIKE_SIGNING_KEY", "value": "env:PEM", "tasks": ["release_model"]}],
        "retries": {"times": 1, "seconds": 5, "factor": 3, "most_seconds": 60},
    }
    compile_pipelines(tmp_path, parse_config(ClusterSettings, settings, "here"))
    text = (tmp_path / "training.yaml").read_text()
    wanted = ("image: here.example/shop/lookalike/train:", "imagePullPolicy: Always", "secretName: pull")
    wanted += ("runAsUser: '7'", "team: search", "resourceCpuLimit: 750m", "resourceType: amd.com/gpu", "pool: gpu")
    wanted += ("constant: own", "subPath: shop", "secretKey: pem", "value: env:PEM", "backoffDuration: 5s")
    assert [one for one in wanted if one not in text] == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"volume": []}, "unknown setting 'volume'"),
        ({"kind_of": {"trian_model": "light"}}, r"no components \['trian_model'\]"),
        ({"kind_of": {"train_model": "gpu"}}, r"no kinds \['gpu'\]"),
        ({"kinds": {"big": {}}}, r"no kinds \['light'\]"),
        ({"kinds": {"light": {"memory_limit": "8 GB"}}}, "memory_limit is '8 GB'"),
        ({"secrets": [{"secret": "s", "key": "k", "variable": "V", "tasks": ["serve"]}]}, r"no components \['serve'\]"),
    ],
)
def test_settings_that_name_nothing_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        parse_config(ClusterSettings, settings, "here")
