"""The watch's figures reach Prometheus: as a file, and through the server's own page."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitoring.gauges import write_gauges
from monitoring.result import DriftResult
from monitoring.sequence import SequenceRule
from monitoring.streams import StreamResult
from tests.search.shop import Shop
from tests.serving.running import Client, engines_of, put_live, running, settings

RELEASE = "ab" * 32


def drifted(**changed: object) -> DriftResult:
    """A measured window, the second that drifted."""
    stream = StreamResult(
        name="colour",
        family="queries",
        test="labels",
        statistic=0.25,
        p_value=1e-4,
        p_adjusted=0.002,
        moved=True,
        words="more red",
    )
    values = {
        "outcome": "measured",
        "drifted": True,
        "summary": "The queries drifted.",
        "release_id": RELEASE,
        "model_fingerprint": "cd" * 32,
        "window": "w",
        "first": "2026-11-20T00:00:00+00:00",
        "last": "2026-11-21T00:00:00+00:00",
        "measured": "2026-11-21T00:10:00+00:00",
        "n_reference": 800,
        "n_current": 500,
        "excluded": {},
        "alpha": 0.01,
        "detector": "families",
        "score": 3.5,
        "threshold": 2.25,
        "streams": [stream],
        "sequence": SequenceRule().after([True, True], 0.01),
        "model_age_days": 2.0,
    }
    return DriftResult.model_validate(values | changed)


def figures(page: str) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(page)
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, each.labels.get("stream", "")): each.value for each in samples if "drift" in each.name}


def test_a_measured_window_is_all_there(tmp_path: Path) -> None:
    write_gauges(tmp_path / "drift.prom", drifted())
    page = (tmp_path / "drift.prom").read_text()
    assert figures(page) == {
        ("lookalike_drift_score", ""): 3.5,
        ("lookalike_drift_threshold", ""): 2.25,
        ("lookalike_drift_stated_rate", ""): 0.01,
        ("lookalike_drift_window_drifted", ""): 1.0,
        ("lookalike_drift_alarm", ""): 1.0,
        ("lookalike_drift_window_queries", ""): 500.0,
        ("lookalike_drift_measured_timestamp_seconds", ""): 1795219800.0,
        ("lookalike_drift_stream_change", "colour"): 0.25,
    }
    assert 'lookalike_model_age_seconds{release="abababababab"} 172800.0' in page


def test_one_window_alone_is_no_alarm_and_too_little_traffic_no_measurement(tmp_path: Path) -> None:
    write_gauges(tmp_path / "drift.prom", drifted(sequence=SequenceRule().after([False, True], 0.01)))
    first = figures((tmp_path / "drift.prom").read_text())
    assert (first["lookalike_drift_window_drifted", ""], first["lookalike_drift_alarm", ""]) == (1.0, 0.0)
    nothing = {"outcome": "not enough traffic", "drifted": False, "score": None, "threshold": None, "streams": []}
    write_gauges(tmp_path / "drift.prom", drifted(**nothing, sequence=None))
    assert set(figures((tmp_path / "drift.prom").read_text())) == {
        ("lookalike_drift_stated_rate", ""),
        ("lookalike_drift_window_drifted", ""),
        ("lookalike_drift_alarm", ""),
        ("lookalike_drift_window_queries", ""),
    }


def test_the_server_serves_what_the_watch_wrote_last(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop, file = Shop(), tmp_path / "drift.prom"
    put_live(tmp_path / "releases", shop)
    with running(settings(tmp_path, watched=file), engines_of(shop)) as client:
        assert figures(_page(client)) == {}
        write_gauges(file, drifted(score=1.5, streams=[]))
        assert figures(_page(client))["lookalike_drift_score", ""] == 1.5
        write_gauges(file, drifted())
        assert figures(_page(client))["lookalike_drift_score", ""] == 3.5
        file.write_text("lookalike_drift_score{ what is this")
        assert figures(_page(client)) == {}
    assert "drift.prom is not served" in caplog.text


def _page(client: Client) -> str:
    answer = client.http.get("/metrics")
    assert answer.status_code == 200
    return answer.text
