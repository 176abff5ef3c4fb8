"""Alerts and dashboard name metrics that exist, and every alert says where its threshold comes from and what to do."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from monitoring.dashboard import FILE, dashboard
from monitoring.gauges import drift_gauges
from serving.triton.metrics import TritonMetrics
from serving.triton.supervision import Supervision
from tests.monitoring.test_gauges import drifted
from tests.search.shop import Shop, photo
from tests.serving.running import engines_of, put_live, running, settings

ROOT = Path(__file__).parents[2]
RULES = ROOT / "monitoring" / "prometheus" / "lookalike.rules.yaml"
METRIC = re.compile(r"\blookalike_[a-z_]+")


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names on a real server's page after a search, those of a model in Triton and those of the watch."""
    folder, shop = tmp_path_factory.mktemp("server"), Shop()
    put_live(folder / "releases", shop)
    with running(settings(folder), engines_of(shop)) as client:
        client.http.post("/search", content=photo(1)).raise_for_status()
        page = client.http.get("/metrics").text
    names = {sample.name for family in text_string_to_metric_families(page) for sample in family.samples}
    triton = {sample.name for family in TritonMetrics(Supervision).collect() for sample in family.samples} | {
        "lookalike_triton_admitted",
        "lookalike_part_degraded",
    }  # without a model in Triton, or a part that failed
    watched = {sample.name for family in drift_gauges(drifted()).collect() for sample in family.samples}
    return names | triton | watched


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here; Debian's package `prometheus` has it")
def test_prometheus_accepts_the_rules_and_they_fire_when_they_should() -> None:
    for command in (["check", "rules", str(RULES)], ["test", "rules", "alerts.test.yaml"]):
        said = subprocess.run(
            ["promtool", *command], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr


def test_every_metric_that_an_alert_or_a_panel_reads_is_exported(exported: set[str]) -> None:
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    for expression in [*panels, *(alert["expr"] for alert in alerts())]:
        assert METRIC.findall(expression), expression
        assert set(METRIC.findall(expression)) <= exported, expression


SECTIONS = ["## What it says", "## What to do", "## When it is over"]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))


def test_every_alert_says_where_its_threshold_comes_from_and_has_a_runbook() -> None:
    for alert in alerts():
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert len(alert["annotations"]["origin"]) > 15
        page = (ROOT / alert["annotations"]["runbook_url"]).read_text(encoding="utf-8")
        assert f"\nAlert: `{alert['alert']}`.\n" in page


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_says_what_calls_for_it_what_to_do_and_when_it_is_over(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    head, known = text.partition(SECTIONS[0])[0], {alert["alert"] for alert in alerts()}
    if own := re.search(r"^Alert: `(\w+)`\.$", head, re.MULTILINE):
        urls = {alert["alert"]: alert["annotations"]["runbook_url"] for alert in alerts()}
        assert (ROOT / urls[own[1]]) == path
    else:
        assert "No alert of its own: " in head
    assert set(re.findall(r"`(Lookalike\w+)`", text)) <= known


def test_whoever_is_on_call_finds_every_runbook_and_alert_on_one_page() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert {f"runbooks/{path.name}" for path in RUNBOOKS} <= set(re.findall(r"\]\(([^)#]+)\)", page))
    assert {alert["alert"] for alert in alerts()} <= set(re.findall(r"`(Lookalike\w+)`", page))


def test_the_dashboard_kept_is_the_one_described() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == dashboard()
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    spots = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(spots) == len(panels)
