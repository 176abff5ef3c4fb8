"""What Prometheus may know of a watch, as a file in its text format.

The service puts it on its own page (`watched` in its settings); node_exporter's textfile collector reads it as well.
Times are seconds since 1970, ages seconds.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from monitoring.result import DriftResult

DAY_SECONDS = 86_400.0

Measure = Callable[[DriftResult], float | None]
OF_THE_WINDOW: dict[str, tuple[str, Measure]] = {
    "lookalike_drift_score": ("Surprise of the newest window, in powers of ten", lambda found: found.score),
    "lookalike_drift_threshold": ("A score above it is drift", lambda found: found.threshold),
    "lookalike_drift_stated_rate": ("Share of windows without drift above the threshold", lambda found: found.alpha),
    "lookalike_drift_window_drifted": ("1 where the newest window is above it", lambda found: float(found.drifted)),
    "lookalike_drift_alarm": ("1 while the last windows are believed to drift", lambda found: float(found.believed)),
    "lookalike_drift_window_queries": ("Queries in the newest window", lambda found: float(found.n_current)),
    "lookalike_drift_measured_timestamp_seconds": (
        "When drift was last measured; a window without traffic enough is no measurement",
        lambda found: datetime.fromisoformat(found.measured).timestamp() if found.outcome == "measured" else None,
    ),
    "lookalike_model_age_seconds": (
        "Since the first release of the model in service",
        lambda found: None if found.model_age_days is None else DAY_SECONDS * found.model_age_days,
    ),
}


def drift_gauges(found: DriftResult) -> CollectorRegistry:
    """A result as gauges, labelled with as many letters of the release as people see; what is unknown is absent."""
    registry, release = CollectorRegistry(), found.release_id[:12]
    for name, (meaning, measure) in OF_THE_WINDOW.items():
        value = measure(found)
        if value is not None:
            Gauge(name, meaning, ["release"], registry=registry).labels(release).set(value)
    if found.streams:
        change = Gauge(
            "lookalike_drift_stream_change",
            "Size of a stream's change, 0 to 1, whether it is one or chance",
            ["release", "stream"],
            registry=registry,
        )
        for stream in found.streams:
            change.labels(release, stream.name).set(stream.statistic)
    return registry


def write_gauges(path: Path, found: DriftResult) -> None:
    """Write the file; a reader sees all of it or the one before."""
    write_to_textfile(str(path), drift_gauges(found))
