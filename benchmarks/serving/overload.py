"""What is left of the service's throughput when five times as much is asked of it."""

import os
from typing import Any

import numpy as np

from benchmarks.results import Figure
from benchmarks.serving.connection import photo_request
from benchmarks.serving.load import Load, closed_loop, side_by_side_ratio
from benchmarks.serving.models import released_models
from benchmarks.serving.open_loop import Arrivals, open_loop
from benchmarks.serving.plan import COMMAND, Measured, Plan
from benchmarks.serving.service import serving, settings_of
from benchmarks.serving.shop import make_shop
from benchmarks.serving.uploads import load_uploads, prepare_catalogue

STEP = "overload"
GOAL = 0.9
TURNS = 5


def measure(plan: Plan) -> Measured:
    """The figure `overload_goodput_ratio`."""
    prepare_catalogue(plan)
    study, shop = plan.study, make_shop(plan, "released", released_models(plan))
    patience = f"{1_000 * study.deadline_seconds:.0f}"
    photos = load_uploads(plan, study.uploads).photos
    requests = [photo_request(photo, study.k, X_Request_Timeout_Ms=patience) for photo in photos]
    seconds, warm = study.measured_seconds / (2 * TURNS), study.warm_seconds / 5
    peaks, floods = list[Load](), list[Arrivals]()
    with serving(settings_of(shop, processes=os.cpu_count() or 1), plan.places.scratch(STEP)) as service:
        closed_loop(service, requests, study.clients, study.warm_seconds, warm, study.seed)
        for turn in range(TURNS):
            peaks.append(closed_loop(service, requests, study.clients, seconds, warm, study.seed + turn))
            rate = study.overload * peaks[-1].per_second
            floods.append(open_loop(service, requests, rate, seconds, warm, study.seed + turn))
    return Measured({"overload_goodput_ratio": _figure(plan, peaks, floods)}, _details(plan, peaks, floods))


def _figure(plan: Plan, peaks: list[Load], floods: list[Arrivals]) -> Figure:
    study = plan.study
    peak = np.array([_goodput(load, study.deadline_seconds) for load in peaks])
    left = np.array([flood.goodput(study.deadline_seconds) for flood in floods])
    ratio, interval = side_by_side_ratio(left, peak, study.seed)
    asked = sum(flood.asked for flood in floods)
    refused = np.median([spent for flood in floods for spent in flood.refused] or [0.0])
    answered = [spent for flood in floods for spent in flood.good] or [0.0]
    goods = f"{np.median(left):.0f} against {np.median(peak):.0f} per second"
    how = (
        f"answers within {study.deadline_seconds:g} s per second at {study.overload:g} times the peak, arriving at "
        f"random moments, ÷ those at the peak ({study.clients} clients without pause), by {os.cpu_count()} search "
        f"processes; median of {TURNS} turns side by side, {goods}; {sum(len(f.refused) for f in floods):,} of "
        f"{asked:,} questions refused, half of them within {refused:.1f} ms; p99 of the answered "
        f"{np.quantile(answered, 0.99):.0f} ms; clients on the same cores took {_client_cores(floods):.2f} of them"
    )
    return Figure(ratio, "ratio", how, COMMAND, f">= {GOAL}", ratio >= GOAL, interval, asked)


def _goodput(load: Load, deadline_seconds: float) -> float:
    return sum(spent <= 1_000 * deadline_seconds for spent in load.milliseconds) / load.seconds


def _client_cores(floods: list[Arrivals]) -> float:
    return sum(flood.client_seconds for flood in floods) / sum(flood.seconds for flood in floods)


def _details(plan: Plan, peaks: list[Load], floods: list[Arrivals]) -> dict[str, Any]:
    return {
        "peak_per_second": [round(load.per_second, 1) for load in peaks],
        "goodput_per_second": [round(flood.goodput(plan.study.deadline_seconds), 1) for flood in floods],
        "asked_per_second": [round(flood.asked / flood.seconds, 1) for flood in floods],
        "statuses": [dict(flood.statuses) for flood in floods],
        "service_cores": [round(flood.service_seconds / flood.seconds, 2) for flood in floods],
        "client_cores": [round(flood.client_seconds / flood.seconds, 2) for flood in floods],
        "left_late_ms_p99": [round(float(np.quantile(flood.behind, 0.99)), 1) for flood in floods],
    }
