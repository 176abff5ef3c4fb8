"""A window under the watch as it is shipped."""

from typing import Any

from benchmarks.drift.settings import Study
from monitoring.calibration import Calibration, calibrate, judge
from monitoring.samples import Sample
from monitoring.settings import DriftSettings

ALPHAS = {"1pct": 0.01, "5pct": 0.05}


def calibrated(reference: Sample, window: int, study: Study) -> Calibration:
    return calibrate(reference, window, settings(study))


def verdict(calibration: Calibration, reference: Sample, current: Sample, study: Study) -> dict[str, Any]:
    """Rank of the window, whether it drifted at either rate, and every stream's surprise."""
    judged = judge(calibration, reference, current, settings(study).seed)
    rounded = {name: round(value, 3) for name, value in judged.streams.items()}
    alarms = {name: judged.score > calibration.threshold_at(alpha) for name, alpha in ALPHAS.items()}
    return {"rank": calibration.rank(judged.score), "streams": rounded, **alarms}


def settings(study: Study) -> DriftSettings:
    return DriftSettings(draws=study.draws, proof_draws=0)
