"""What the watch's page costs: the whole drift stage over 2,000 queries against 2,000, real photos shown, its size."""

import os
import time

from benchmarks.drift.page_shop import NOW, Watched, prepare
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.results import Figure
from lookalike.embedders.model_folder import load_model
from lookalike.index.trained_vectors import MOST
from lookalike.storage import atomic_folder
from monitoring.drift import REPORT, detect_drift
from monitoring.page.timeline import SHOWN
from monitoring.settings import DriftSettings

ROWS, QUICK_ROWS = 2_000, 300
"""Queries on either side."""
REPEATS = 3
MOST_MEGABYTES, MOST_SECONDS = 3.0, 10.0


def measure(plan: Plan) -> Measured:
    """Run the drift stage anew REPEATS times; the page of the last run stays in the study's folder."""
    rows = QUICK_ROWS if plan.places.quick else ROWS
    root = plan.places.root / "page"
    with atomic_folder(root) as aside:
        prepare(plan, aside, rows)
    watched = Watched.of(plan, root)
    settings = DriftSettings(seed=plan.study.seed)
    seconds, of_one_core = [], []
    for number in range(REPEATS):
        started, worked = time.perf_counter(), time.process_time()
        output = root / f"drift-{number}"
        detect_drift(watched.query_log, watched.folder, output, settings, NOW, watched.history, watched.catalogue)
        seconds.append(time.perf_counter() - started)
        of_one_core.append(time.process_time() - worked)
    megabytes = (output / REPORT).stat().st_size / 1e6
    how = _how(rows, load_model(watched.folder).dimension)
    return Measured(_figures(megabytes, seconds, of_one_core, how), {"seconds": seconds, "of_one_core": of_one_core})


def _how(rows: int, dimension: int) -> str:
    return (
        f"the drift stage as shipped, calibration, Evidently's page and thumbnails included: {rows:,} queries of "
        f"{dimension} dimensions against a reference of {rows:,}, a tenth of the window of an articleType that the "
        f"reference does not show; {MOST:,} training photos at most, {SHOWN} earlier windows on the timeline"
    )


def _figures(megabytes: float, seconds: list[float], of_one_core: list[float], how: str) -> dict[str, Figure]:
    """A machine that does other things besides takes longer; its load and the seconds of one core tell."""
    slowest, busy = max(seconds), f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    size = "size of drift.html, made by the runs of report_seconds"
    worked = "processor time of the runs of report_seconds, the most"
    timed = f"the slowest of {len(seconds)} runs: {how}; load of the machine meanwhile {busy}"
    return {
        "report_megabytes": Figure(megabytes, "MB", size, COMMAND, "< 3", megabytes < MOST_MEGABYTES, n=1),
        "report_seconds": Figure(slowest, "seconds", timed, COMMAND, "< 10", slowest < MOST_SECONDS, n=len(seconds)),
        "report_cpu_seconds": Figure(max(of_one_core), "seconds of one core", worked, COMMAND, n=len(seconds)),
    }
