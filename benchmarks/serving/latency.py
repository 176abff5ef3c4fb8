"""How long an uploaded photo takes while several clients ask, over 40 thousand products and over a million."""

import os
from typing import Any

from benchmarks.results import Figure
from benchmarks.serving.connection import photo_request
from benchmarks.serving.load import Load, closed_loop
from benchmarks.serving.million import make_million
from benchmarks.serving.models import released_models
from benchmarks.serving.plan import COMMAND, Plan
from benchmarks.serving.service import serving, settings_of
from benchmarks.serving.shop import Shop, make_shop, model_words
from benchmarks.serving.uploads import load_uploads, prepare_catalogue
from benchmarks.study import Measured

STEP = "latency"
GOAL_MS = 100.0


def measure(plan: Plan) -> Measured:
    """The figures `query_p99_ms_40k` and `query_p99_ms_1m`, and the same for clients that pause."""
    prepare_catalogue(plan)
    shop = make_shop(plan, "released", released_models(plan))
    figures, details = dict[str, Figure](), dict[str, Any]()
    for size, served in (("40k", shop), ("1m", make_million(plan, shop))):
        loads = _loads(plan, served)
        for name, load in loads.items():
            key = f"query_p99_ms_{size}{name}"
            figures[key] = _figure(plan, served, load, pauses=bool(name))
            details[key] = _details(load)
    return Measured(figures, details)


def _loads(plan: Plan, shop: Shop) -> dict[str, Load]:
    """Clients that ask at once, and clients that pause."""
    study = plan.study
    requests = [photo_request(photo, study.k) for photo in load_uploads(plan, study.uploads).photos]
    with serving(settings_of(shop), plan.places.scratch(STEP)) as service:
        common = (service, requests, study.clients, study.measured_seconds, study.warm_seconds, study.seed)
        return {"": closed_loop(*common), "_pausing": closed_loop(*common, study.think_seconds)}


def _figure(plan: Plan, shop: Shop, load: Load, pauses: bool) -> Figure:
    study, p99 = plan.study, load.quantile(0.99)
    pace = f"pausing {1_000 * study.think_seconds:.0f} ms in the mean" if pauses else "asking again at once: saturated"
    grown = shop.uri.endswith("million/faiss")
    products = f"{study.grown:,} products, all but the catalogue's grown" if grown else "the whole catalogue"
    how = (
        f"POST /search?k={study.k} with real photos over loopback, {study.clients} clients {pace}; {products}, "
        f"{model_words(shop)}, faiss graph in process, Feast; {os.cpu_count()} cores shared with the clients; p50 "
        f"{load.quantile(0.5):.1f} ms, {load.per_second:.0f}/s, {load.failed} failed"
    )
    met = p99 < GOAL_MS and not load.failed
    goal = "" if pauses else f"< {GOAL_MS:.0f}"
    interval = load.interval(0.99, study.seed)
    return Figure(p99, "ms", how, COMMAND, goal, None if pauses else met, interval, len(load.milliseconds))


def _details(load: Load) -> dict[str, Any]:
    return {
        **{f"p{100 * share:g}": round(load.quantile(share), 3) for share in (0.5, 0.9, 0.99, 0.999)},
        "per_second": round(load.per_second, 1),
        "service_ms_per_request": round(1_000 * load.service_seconds / max(1, len(load.milliseconds)), 3),
        "client_ms_per_request": round(1_000 * load.client_seconds / max(1, len(load.milliseconds)), 3),
    }
