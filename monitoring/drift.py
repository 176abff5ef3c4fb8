"""The drift stage: query log and release in, `drift.json`, `calibration.json` and `drift.html` out."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from lookalike.config import load_config
from lookalike.release.manifest import Release
from lookalike.storage import StageRecord, digest_file, run_stage, write_json
from monitoring.calibration import Calibration, calibrate, calibration_key
from monitoring.detectors import find_detector
from monitoring.report import write_report
from monitoring.result import DRIFT, DriftResult
from monitoring.samples import REFERENCE, Sample, read_reference, read_release, same_space
from monitoring.settings import DriftSettings
from monitoring.streams import StreamResult, compare_streams
from monitoring.windows import Window, read_window

CALIBRATION = "calibration.json"
REPORT = "drift.html"
log = logging.getLogger(__name__)


def detect_drift(query_log: Path, release: Path, output: Path, settings: DriftSettings, now: datetime) -> StageRecord:
    """Compare the newest window of the query log with the reference of `release`, the folder `releases/<id>`.

    Writes the sealed folder `output`. The same rows against the same reference are compared once: a second
    call says so and keeps the time of the first. A calibration already in `output` is used again when it
    holds for the same reference, sizes and settings. Raises ReleaseMismatch where the log mixes models.
    """
    record = read_release(release)
    reference = read_reference(release, settings)
    window = read_window(query_log, record, settings, now)
    same_space(reference, window.sample)
    known = _stored_calibration(output)

    def work(folder: Path) -> dict[str, Any]:
        result, calibration = measure(record, reference, window, settings, now, known)
        write_json(folder / DRIFT, result.model_dump(mode="json"))
        if calibration is not None:
            write_json(folder / CALIBRATION, calibration.model_dump(mode="json"))
        write_report(folder / REPORT, result, calibration, reference, window.sample, settings)
        log.info("%s", result.summary)
        return _figures(result)

    return run_stage(
        "detect_drift",
        output,
        inputs={},  # neither the log nor a release is a stage's folder: their digests stand in the settings
        settings={
            "settings": settings.model_dump(mode="json"),
            "release": record.release_id,
            "reference": digest_file(release / REFERENCE),
            "window": window.digest,
        },
        content=[DRIFT],
        work=work,
    )


def measure(
    release: Release,
    reference: Sample,
    window: Window,
    settings: DriftSettings,
    now: datetime,
    known: Calibration | None = None,
) -> tuple[DriftResult, Calibration | None]:
    """The comparison itself; without rows enough there is no calibration and nothing drifted."""
    facts: dict[str, Any] = {
        "release_id": release.release_id,
        "model_fingerprint": release.model_fingerprint,
        "window": window.digest,
        "first": window.first.isoformat() if window.first else None,
        "last": window.last.isoformat() if window.last else None,
        "measured": now.isoformat(),
        "n_reference": len(reference),
        "n_current": len(window.sample),
        "excluded": window.excluded,
        "alpha": settings.alpha,
        "detector": settings.detector,
    }
    if min(len(reference), len(window.sample)) < settings.min_rows:
        return _too_little(facts, settings), None
    detector = find_detector(settings.detector)
    key = calibration_key(reference.vectors, len(window.sample), settings)
    if known is None or known.key != key:
        known = calibrate(detector, reference.vectors, len(window.sample), settings)
    score = detector.score(reference.vectors, window.sample.vectors)
    streams = compare_streams(reference, window.sample, settings.alpha)
    return _measured(facts, score, known, streams), known


def _too_little(facts: dict[str, Any], settings: DriftSettings) -> DriftResult:
    summary = (
        f"Not enough traffic: {facts['n_current']} queries against {facts['n_reference']} reference rows; "
        f"{settings.min_rows} of each are needed."
    )
    return DriftResult(outcome="not enough traffic", drifted=False, summary=summary, **facts)


def _measured(
    facts: dict[str, Any], score: float, calibration: Calibration, streams: list[StreamResult]
) -> DriftResult:
    drifted = score > calibration.threshold
    verdict = "The queries drifted" if drifted else "No drift"
    summary = (
        f"{verdict}: {calibration.detector} score {score:.4g} against the threshold {calibration.threshold:.4g} "
        f"(false-alarm rate {calibration.alpha:g}), {calibration.n_window} queries, "
        f"{calibration.n_reference} reference rows."
    )
    return DriftResult(
        outcome="measured",
        drifted=drifted,
        summary=summary,
        score=score,
        threshold=calibration.threshold,
        rank=calibration.rank(score),
        false_alarm_rate=calibration.false_alarm_rate,
        false_alarm_interval=calibration.false_alarm_interval,
        streams=streams,
        **facts,
    )


def _stored_calibration(output: Path) -> Calibration | None:
    path = output / CALIBRATION
    return load_config(Calibration, path) if path.is_file() else None


def _figures(result: DriftResult) -> dict[str, Any]:
    names = ("outcome", "drifted", "score", "threshold", "rank", "n_reference", "n_current")
    return {**result.model_dump(include=set(names)), "moved": [s.name for s in result.streams if s.moved]}
