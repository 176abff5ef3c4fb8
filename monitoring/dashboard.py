"""The Grafana dashboard: rows of panels over what the service and the watch export.

`python -m monitoring.dashboard` writes `grafana/lookalike.json`, which Grafana imports as it is; a test holds the two
together. Grafana's own choice of a Prometheus source fills the variable `source`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "grafana" / "lookalike.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
COLUMNS, HEIGHT = 24, 8
PER_ROW = 3


@dataclass(frozen=True)
class Panel:
    """One graph: its queries by the legend of their lines."""

    title: str
    unit: str
    """As Grafana names units: s, bytes, reqps, percentunit, short, dtdurations."""
    queries: dict[str, str]


RATE = "[$__rate_interval]"
REQUESTS = f"rate(lookalike_requests_total{RATE})"


def quantile(share: float, metric: str, by: str, where: str = "") -> str:
    """Of a histogram, by labels."""
    return f"histogram_quantile({share:g}, sum by (le, {by}) (rate({metric}_bucket{where}{RATE})))"


ROWS: dict[str, list[Panel]] = {
    "What shoppers see": [
        Panel("Requests by status", "reqps", {"{{status}}": f"sum by (status) ({REQUESTS})"}),
        Panel(
            "Time of a search",
            "s",
            {
                f"{name} {{{{route}}}}": quantile(
                    share, "lookalike_request_seconds", "route", '{route=~"/search|.*predict"}'
                )
                for name, share in (("p50", 0.5), ("p99", 0.99))
            },
        ),
        Panel(
            "Answers that lack something",
            "percentunit",
            {
                "empty": f"sum(rate(lookalike_empty_answers_total{RATE})) "
                f'/ sum(rate(lookalike_search_seconds_count{{stage="total"}}{RATE}))',
                "products without features": f"sum(rate(lookalike_features_absent_total{RATE})) "
                f"/ sum(rate(lookalike_hits_total{RATE}))",
            },
        ),
    ],
    "Where the time goes": [
        Panel("Stages, p50", "s", {"{{stage}}": quantile(0.5, "lookalike_search_seconds", "stage")}),
        Panel("Stages, p99", "s", {"{{stage}}": quantile(0.99, "lookalike_search_seconds", "stage")}),
        Panel(
            "Queue",
            "short",
            {
                "under way": "sum(lookalike_searches_under_way)",
                "waiting": "sum(lookalike_searches_waiting)",
            },
        ),
    ],
    "Parts and releases": [
        Panel("Parts that failed lately", "short", {"{{part}}": "max by (part) (lookalike_part_degraded)"}),
        Panel(
            "Model in Triton",
            "short",
            {
                "{{model}} admitted": "min by (model) (lookalike_triton_admitted)",
                "reloads {{outcome}}": f"sum by (outcome) (increase(lookalike_triton_reloads_total{RATE}))",
            },
        ),
        Panel("Replicas by release", "short", {"{{release_id}}": "count by (release_id) (lookalike_release_info)"}),
    ],
    "Drift": [
        Panel(
            "Score of the newest window against its threshold",
            "short",
            {
                "score {{release}}": "max by (release) (lookalike_drift_score)",
                "threshold {{release}}": "max by (release) (lookalike_drift_threshold)",
            },
        ),
        Panel("Change by stream", "percentunit", {"{{stream}}": "max by (stream) (lookalike_drift_stream_change)"}),
        Panel(
            "Age",
            "s",
            {
                "model": "max by (release) (lookalike_model_age_seconds)",
                "last measurement": "time() - max(lookalike_drift_measured_timestamp_seconds)",
            },
        ),
    ],
}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana's JSON model, schema version 39 (Grafana 10 and later)."""
    panels: list[dict[str, Any]] = []
    for row, (title, members) in enumerate(ROWS.items()):
        top = row * (HEIGHT + 1)
        panels.append(_row(title, len(panels) + 1, top))
        for column, panel in enumerate(members):
            panels.append(_graph(panel, len(panels) + 1, column, top + 1))
    return {
        "uid": "lookalike",
        "title": "Lookalike",
        "tags": ["lookalike"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": panels,
    }


def _row(title: str, number: int, top: int) -> dict[str, Any]:
    return {"id": number, "type": "row", "title": title, "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}}


def _graph(panel: Panel, number: int, column: int, top: int) -> dict[str, Any]:
    width = COLUMNS // PER_ROW
    targets = [
        {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend}
        for place, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": {"h": HEIGHT, "w": width, "x": column * width, "y": top},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


def main() -> None:
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(dashboard(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
