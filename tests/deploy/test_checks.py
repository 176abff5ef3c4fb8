"""What the checker says of small manifests that are not ours."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.testing import CliRunner

from app.cli import app
from app.manifests.check import check
from app.manifests.metrics import exported_names
from app.manifests.reading import read_manifests
from app.manifests.schemas import strict
from lookalike.errors import ConfigError

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 7, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: registry.example/web:1.2
          ports: [{name: http, containerPort: 80}]
          securityContext:
            {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          resources: {requests: {cpu: "1", memory: 1Gi}, limits: {memory: 1Gi}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
"""


def findings(text: str, root: TyperGroup) -> list[str]:
    documents: list[dict[str, Any]] = [*yaml.safe_load_all(text)]
    return [finding.what for finding in check(documents, root)]


def test_a_plain_workload_is_accepted(root: TyperGroup) -> None:
    assert findings(SHOP, root) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("web:1.2", "web", "image 'registry.example/web' has no tag; give a version or a digest"),
        ("web:1.2", "web:1", "image 'registry.example/web:1' may be another tomorrow; give a version or a digest"),
        ("runAsUser: 7", "runAsUser: 0", "web: may run as root; set runAsNonRoot, and a runAsUser other than 0"),
        ("targetPort: http", "targetPort: web", "leads to port 'web' of Deployment/web, where nobody listens"),
        ("labels: {app: web}", "labels: {app: shop}", "selects pods by {'app': 'web'}, which its own do not have"),
        (", limits: {memory: 1Gi}", "", "web: resources.limits.memory is not set"),
        ("namespace: shop}\nspec: {sel", "namespace: shp}\nspec: {sel", "is in namespace 'shp', the manifests make"),
        ("serviceAccountName: web", "serviceAccountName: wbe", "ServiceAccount/wbe is neither in the manifests"),
        ("kind: Deployment", "kind: Deploymnet", "Kubernetes 1.32.0 has no Deploymnet in apps/v1"),
        ("readOnlyRootFilesystem: true, ", "", "web: may write into its image; set readOnlyRootFilesystem: true"),
    ],
)
def test_a_mistake_is_named(right: str, wrong: str, said: str, root: TyperGroup) -> None:
    assert SHOP.count(right) == 1
    assert any(said in what for what in findings(SHOP.replace(right, wrong), root))


def test_an_image_by_digest_is_fixed_whatever_its_tag(root: TyperGroup) -> None:
    assert findings(SHOP.replace("web:1.2", f"web@sha256:{'0' * 64}"), root) == []


def test_two_versions_of_one_image_are_noticed(root: TyperGroup) -> None:
    deployment = SHOP.split("---")[2]
    second = deployment.replace("{name: web, namespace", "{name: second, namespace").replace("web:1.2", "web:1.3")
    said = "web: image 'registry.example/web:1.3' is 1.2 elsewhere; versions are set in one place"
    assert findings(f"{SHOP}---{second}", root) == [said]


def test_a_pod_that_no_policy_names_is_noticed_where_everything_is_closed(root: TyperGroup) -> None:
    closed = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: shop}\n"
    [said] = findings(f"{SHOP}---\n{closed}spec: {{podSelector: {{}}, policyTypes: [Ingress]}}", root)
    assert said == "is named by no network policy; its labels are {'app': 'web'}"


def test_a_strict_schema_refuses_what_it_does_not_list_at_every_depth() -> None:
    made = strict(
        {"properties": {"a": {"type": "array", "items": {"properties": {"b": {}}}}, "free": {"type": "object"}}}
    )
    assert made["additionalProperties"] is False
    assert made["properties"]["a"]["items"]["additionalProperties"] is False
    assert "additionalProperties" not in made["properties"]["free"]


def test_known_metrics_are_those_that_the_code_writes() -> None:
    assert {"lookalike_search_seconds", "lookalike_drift_alarm", "lookalike_triton_reloads"} <= exported_names()


def test_what_is_no_object_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("replicas: 3", encoding="utf-8")
    with pytest.raises(ConfigError, match="it needs apiVersion and kind"):
        read_manifests(file)


def test_the_verb_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP.replace("web:1.2", "web:latest"), encoding="utf-8")
    answer = CliRunner().invoke(app, ["manifests", "check", str(file)])
    assert isinstance(answer.exception, ConfigError)
    assert f"{file}: Deployment/web: web: image 'registry.example/web:latest' may be another tomorrow" in answer.stderr
    assert f"{file}: 4 objects, 1 wrong" in answer.stdout


def test_the_alerts_are_written_once(tmp_path: Path) -> None:
    rules, output = tmp_path / "rules.yaml", tmp_path / "alerts.yaml"
    rules.write_text("groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]", encoding="utf-8")
    command = ["manifests", "alerts", str(output), "--rules", str(rules)]
    assert "was renewed" in CliRunner().invoke(app, command).stdout
    assert "is up to date" in CliRunner().invoke(app, command).stdout
    assert yaml.safe_load(output.read_text(encoding="utf-8"))["kind"] == "PrometheusRule"
