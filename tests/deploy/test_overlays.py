"""What the overlays promise, in the objects that would be applied."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup

from app.manifests.alerts import alerts_text
from app.manifests.check import check
from app.manifests.commands import calls
from app.manifests.pods import pods
from app.manifests.reading import Document, by_name, of_kind
from app.manifests.schemas import read_definitions
from app.manifests.service_settings import served
from components.image import TAG
from lookalike.features.feast_import import import_feast

ROOT = Path(__file__).parents[2]


def search(documents: list[Document]) -> dict[str, Any]:
    found: dict[str, Any] = by_name(documents)["InferenceService/lookalike"]
    return found


def triton_arguments(documents: list[Document]) -> list[str]:
    found: list[str] = by_name(documents)["ServingRuntime/lookalike-triton"]["spec"]["containers"][0]["args"]
    return found


def test_nothing_is_wrong_with_an_overlay(overlay: list[Document], root: TyperGroup) -> None:
    assert check(overlay, root) == []


def test_nothing_is_wrong_by_kserves_own_definition_made_strict(
    overlay: list[Document], root: TyperGroup, schemas_folder: Path
) -> None:
    definitions = read_definitions(schemas_folder)
    assert "InferenceService" in definitions
    assert check(overlay, root, definitions) == []


def test_our_images_are_of_this_version_everywhere(overlay: list[Document]) -> None:
    images = {container["image"] for pod in pods(overlay) for container in pod.containers}
    ours = {image for image in images if "lookalike" in image}
    assert {image.rpartition(":")[2] for image in ours} == {TAG}
    assert {image.rpartition("/")[2].partition(":")[0] for image in ours} == {
        "transformer",
        "train",
    }


def test_the_alerts_are_prometheus_rules_word_for_word(overlay: list[Document]) -> None:
    rules = ROOT / "monitoring" / "prometheus" / "lookalike.rules.yaml"
    assert by_name(overlay)["PrometheusRule/lookalike"]["spec"] == yaml.safe_load(rules.read_text(encoding="utf-8"))
    assert (ROOT / "deploy" / "base" / "alerts.yaml").read_text(encoding="utf-8") == alerts_text(rules)


def test_the_dashboard_is_the_one_that_grafana_imports(overlay: list[Document]) -> None:
    dashboard = by_name(overlay)["ConfigMap/lookalike-dashboard"]
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    text = (ROOT / "monitoring" / "grafana" / "lookalike.json").read_text(encoding="utf-8")
    assert json.loads(dashboard["data"]["lookalike.json"]) == json.loads(text)


def test_pods_follow_changed_settings(overlay: list[Document]) -> None:
    """A ConfigMap is named after its content, so that another content is another pod."""
    volumes = {volume["name"]: volume for volume in search(overlay)["spec"]["transformer"]["volumes"]}
    name = volumes["settings"]["configMap"]["name"]
    assert name.startswith("lookalike-service-") and f"ConfigMap/{name}" in by_name(overlay)


def test_shoppers_wait_for_the_golden_photos_and_nobody_is_restarted_meanwhile(overlay: list[Document]) -> None:
    container = search(overlay)["spec"]["transformer"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    startup = container["startupProbe"]
    assert startup["httpGet"]["path"] == "/health/live"
    assert startup["periodSeconds"] * startup["failureThreshold"] == 600


def test_requests_under_way_are_finished_before_kubernetes_kills(overlay: list[Document], root: TyperGroup) -> None:
    [(_, settings)] = served(overlay, pods(overlay), root)
    assert settings.grace_seconds < 30
    assert "terminationGracePeriodSeconds" not in search(overlay)["spec"]["transformer"]


def test_whoever_searches_has_a_key_and_prometheus_needs_none(overlay: list[Document], root: TyperGroup) -> None:
    [(_, settings)] = served(overlay, pods(overlay), root)
    assert settings.access.keys is not None and settings.access.open_metrics


def test_no_secret_lies_in_the_manifests(overlay: list[Document]) -> None:
    assert of_kind(overlay, "Secret") == []


def test_one_triton_is_told_what_to_load(local_cpu: list[Document], gpu: list[Document], root: TyperGroup) -> None:
    for documents in (local_cpu, gpu):
        [(_, settings)] = served(documents, pods(documents), root)
        assert search(documents)["spec"]["predictor"]["maxReplicas"] == 1
        assert "--model-control-mode=explicit" in triton_arguments(documents)
        assert settings.triton_http is not None


def test_of_several_tritons_each_loads_by_itself(production: list[Document], root: TyperGroup) -> None:
    [(_, settings)] = served(production, pods(production), root)
    assert search(production)["spec"]["predictor"]["minReplicas"] == 2
    assert "--model-control-mode=poll" in triton_arguments(production)
    assert settings.triton_http is None


def test_triton_has_a_gpu_where_there_is_one(
    local_cpu: list[Document], gpu: list[Document], production: list[Document]
) -> None:
    def gpus(documents: list[Document]) -> str | None:
        runtime = by_name(documents)["ServingRuntime/lookalike-triton"]["spec"]["containers"][0]
        found: str | None = runtime["resources"]["limits"].get("nvidia.com/gpu")
        return found

    assert (gpus(local_cpu), gpus(gpu), gpus(production)) == (None, "1", "1")


def test_production_changes_by_canary_and_grows_with_concurrency(production: list[Document]) -> None:
    service = search(production)
    assert service["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative"
    transformer = service["spec"]["transformer"]
    assert transformer["canaryTrafficPercent"] == 10
    assert (transformer["scaleMetric"], transformer["scaleTarget"]) == ("concurrency", 4)
    assert transformer["minReplicas"] < transformer["maxReplicas"]


def test_a_pod_has_one_port_for_knative(production: list[Document]) -> None:
    for pod in pods(production):
        if pod.owner.startswith("InferenceService"):
            assert sum(len(container.get("ports", [])) for container in pod.spec["containers"]) == 1


def test_the_watch_is_scheduled_once(overlay: list[Document]) -> None:
    verbs = [" ".join(call.arguments[:2]) for call in calls(pods(overlay))]
    watches = [verb for verb in verbs if verb.startswith("watch") or verb == "pipeline schedule"]
    assert len(watches) == 1


@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor"])
def test_both_parts_of_the_service_have_their(kind: str, overlay: list[Document]) -> None:
    text = yaml.safe_dump(of_kind(overlay, kind))
    assert ("transformer" in text and "predictor" in text) or ("lookalike-search" in text and "triton" in text)


def test_feast_accepts_its_settings(local_cpu: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_feast()
    from feast.repo_config import load_repo_config

    [features] = [each for each in of_kind(local_cpu, "ConfigMap") if "feature_store.yaml" in each["data"]]
    file = tmp_path / "feature_store.yaml"
    file.write_text(features["data"]["feature_store.yaml"], encoding="utf-8")
    monkeypatch.setenv("REDIS_CONNECTION", "redis:6379,password=secret")
    config = load_repo_config(tmp_path, file)
    assert config.online_store.type == "redis"
    assert config.online_store.connection_string == "redis:6379,password=secret"
