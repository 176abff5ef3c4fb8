"""`drift.html`: one self-contained page, the verdict on top and Evidently's report folded below.

Evidently's page carries 3.5 MB of script; compressed inside ours it takes less than half, and the browser
unpacks it (DecompressionStream) when a person opens it.
"""

import base64
import gzip
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from monitoring.calibration import Calibration
from monitoring.evidently_report import evidently_html
from monitoring.result import DriftResult
from monitoring.samples import Sample
from monitoring.settings import DriftSettings

BINS = 40
WIDTH, HEIGHT = 640, 160
"""Pixels of the histogram."""


def write_report(
    path: Path,
    result: DriftResult,
    calibration: Calibration | None,
    reference: Sample,
    current: Sample,
    settings: DriftSettings,
) -> None:
    """Write the page; without a measurement it says so and holds no charts."""
    charts, chart = None, None
    if calibration is not None and result.score is not None:
        inner = evidently_html(
            reference, current, result.score, result.drifted, settings.report_rows, settings.alpha, settings.seed
        )
        charts = base64.b64encode(gzip.compress(inner.encode(), mtime=0)).decode()
        chart = histogram(calibration.null, calibration.threshold, result.score)
    page = _template().render(result=result, chart=chart, evidently=charts, report_rows=settings.report_rows)
    path.write_text(page, encoding="utf-8")


def histogram(null: list[float], threshold: float, score: float) -> dict[str, Any]:
    """Bars and marks, in pixels, of the scores without drift with the threshold and the measured score."""
    low, high = min(*null, score), max(*null, score, threshold)
    room = (high - low) * 0.05 or 1.0
    edges = np.linspace(low - room, high + room, BINS + 1)
    counts = np.histogram(null, edges)[0]

    def across(value: float) -> float:
        return round(float((value - edges[0]) / (edges[-1] - edges[0]) * WIDTH), 1)

    width, tallest = round(WIDTH / BINS - 1, 1), counts.max()
    bars = [
        {"x": across(left), "width": width, "height": round(float(count / tallest * HEIGHT), 1)}
        for left, count in zip(edges[:-1], counts, strict=True)
        if count
    ]
    return {"bars": bars, "threshold": across(threshold), "score": across(score), "width": WIDTH, "height": HEIGHT}


def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("monitoring", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("drift.html.jinja")
