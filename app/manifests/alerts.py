"""Prometheus' rules as the object that its operator takes."""

from pathlib import Path

import yaml

from lookalike.storage import atomic_file

RULES = Path("monitoring/prometheus/lookalike.rules.yaml")
ALERTS = Path("deploy/base/alerts.yaml")
HEAD = "# Written by `lookalike manifests alerts` from {rules}: change it there.\n"


def alerts_text(rules: Path) -> str:
    """The rules of a file as a PrometheusRule."""
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "lookalike"},
        "spec": yaml.safe_load(rules.read_text(encoding="utf-8")),
    }
    return HEAD.format(rules=RULES) + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=116)


def write_alerts(rules: Path, output: Path) -> bool:
    """Whether the file changed."""
    text = alerts_text(rules)
    if output.is_file() and output.read_text(encoding="utf-8") == text:
        return False
    with atomic_file(output) as aside:
        aside.write_text(text, encoding="utf-8")
    return True
