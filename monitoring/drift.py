"""The drift stage: query log and release in, `drift.json`, `calibration.json` and `drift.html` out."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lookalike.catalog.products import load_catalogue
from lookalike.config import load_config
from lookalike.release.manifest import Release
from lookalike.release.update_log import UpdateLog
from lookalike.storage import StageRecord, read_seal, run_stage, write_json
from monitoring.age import model_born
from monitoring.calibration import Calibration, calibrate, calibration_key
from monitoring.catalogue import compare_catalogue
from monitoring.earlier import Beside, spans_of, windows_before
from monitoring.episode import SeenWindow
from monitoring.history import read_history
from monitoring.report import write_report
from monitoring.result import DRIFT, DriftResult
from monitoring.samples import Sample, read_release, same_space
from monitoring.settings import DriftSettings
from monitoring.sketch import Reference, read_reference
from monitoring.weighing import weigh
from monitoring.windows import Window, read_window, read_windows

CALIBRATION = "calibration.json"
REPORT = "drift.html"
log = logging.getLogger(__name__)


def detect_drift(
    query_log: Path,
    release: Path,
    output: Path,
    settings: DriftSettings,
    now: datetime,
    history: Path | None = None,
    catalogue: Path | None = None,
) -> StageRecord:
    """Compare the newest window of the query log with the reference of `release`, the folder `releases/<id>`.

    `history` is the watch's, for the rule over several windows; `catalogue` the newest validate output, for what it
    brings and for the verticals of slices. Writes the sealed folder `output`. The same rows against the same reference
    are compared once: a second call says so and keeps the time of the first. A calibration already in `output` is used
    again when it holds for the same reference, sizes and settings. Raises ReleaseMismatch where the log mixes models.
    """
    record = read_release(release)
    reference = read_reference(release, settings)
    window = read_window(query_log, record, settings, now, reference.since)
    same_space(reference.sample, window.sample)
    earlier = _earlier(record, window, history)
    beside = Beside(
        earlier,
        _look_back(query_log, record, reference, window, earlier, settings, now),
        load_catalogue(catalogue) if catalogue is not None else None,
    )
    known = _stored_calibration(output)

    def work(folder: Path) -> dict[str, Any]:
        result, calibration = measure(release, record, reference, window, beside, settings, now, known)
        write_json(folder / DRIFT, result.model_dump(mode="json"))
        if calibration is not None:
            write_json(folder / CALIBRATION, calibration.model_dump(mode="json"))
        write_report(folder / REPORT, result, calibration, reference.sample, window.sample, settings)
        log.info("%s", result.summary)
        return _figures(result)

    return run_stage(
        "detect_drift",
        output,
        inputs={},  # neither the log nor a release is a stage's folder: their digests stand in the settings
        settings={
            "settings": settings.model_dump(mode="json"),
            "release": record.release_id,
            "reference": reference.digest,
            "window": window.digest,
            "earlier": [[seen.window, seen.drifted] for seen in earlier],
            "catalogue": read_seal(catalogue).content if catalogue is not None else None,
            "held": UpdateLog(release.parent, record).catalogue_digest(),
        },
        content=[DRIFT],
        work=work,
    )


def measure(
    folder: Path,
    release: Release,
    reference: Reference,
    window: Window,
    beside: Beside,
    settings: DriftSettings,
    now: datetime,
    known: Calibration | None = None,
) -> tuple[DriftResult, Calibration | None]:
    """The comparison itself; without rows enough there is no calibration and nothing drifted."""
    facts = _facts(folder, release, reference, window, beside, settings, now)
    rows = min(len(reference.sample), len(window.sample))
    if rows < settings.min_rows:
        return _too_little(facts, settings), None
    key = calibration_key(reference.sample, len(window.sample), settings)
    if known is None or known.key != key:
        known = calibrate(reference.sample, len(window.sample), settings)
    found = weigh(known, reference.sample, window, beside, settings)
    return DriftResult(outcome="measured", **facts, **found), known


def _earlier(record: Release, window: Window, history: Path | None) -> tuple[SeenWindow, ...]:
    first = window.first.isoformat() if window.first else None
    seen = read_history(history).windows if history is not None else []
    return tuple(windows_before(seen, record.release_id, first))


def _look_back(
    query_log: Path,
    record: Release,
    reference: Reference,
    window: Window,
    earlier: Sequence[SeenWindow],
    settings: DriftSettings,
    now: datetime,
) -> tuple[Sample, ...]:
    """The queries of the last m windows; none where fewer are known."""
    spans = spans_of(earlier, window)[-settings.rule.m :]
    if not settings.rule.looks_back or len(spans) < settings.rule.m:
        return ()
    return tuple(read_windows(query_log, record, settings, spans, now, reference.since))


def _facts(
    folder: Path,
    release: Release,
    reference: Reference,
    window: Window,
    beside: Beside,
    settings: DriftSettings,
    now: datetime,
) -> dict[str, Any]:
    """What is known without measuring."""
    change = None
    if beside.catalogue is not None:
        change = compare_catalogue(beside.catalogue, folder, UpdateLog(folder.parent, release).stored())
    return {
        "release_id": release.release_id,
        "model_fingerprint": release.model_fingerprint,
        "window": window.digest,
        "first": window.first.isoformat() if window.first else None,
        "last": window.last.isoformat() if window.last else None,
        "measured": now.isoformat(),
        "n_reference": len(reference.sample),
        "n_current": len(window.sample),
        "excluded": window.excluded,
        "alpha": settings.alpha,
        "detector": "joint",
        "reference": reference.words,
        "catalogue": change,
        "model_age_days": (now - model_born(folder.parent, release)) / timedelta(days=1),
    }


def _too_little(facts: dict[str, Any], settings: DriftSettings) -> DriftResult:
    summary = (
        f"Not enough traffic: {facts['n_current']} queries against {facts['n_reference']} reference rows; "
        f"{settings.min_rows} of each are needed."
    )
    if facts["n_reference"] == 0:
        summary += f" The reference: {facts['reference']}; {settings.early_rows} early queries will make one."
    return DriftResult(outcome="not enough traffic", drifted=False, summary=summary, **facts)


def _stored_calibration(output: Path) -> Calibration | None:
    path = output / CALIBRATION
    return load_config(Calibration, path) if path.is_file() else None


def _figures(result: DriftResult) -> dict[str, Any]:
    names = ("outcome", "drifted", "score", "threshold", "rank", "n_reference", "n_current")
    return {**result.model_dump(include=set(names)), "moved": [s.name for s in result.streams if s.moved]}
