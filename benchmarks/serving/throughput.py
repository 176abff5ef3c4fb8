"""How many photos a second the service answers when it is asked without pause, against bare onnxruntime."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Figure
from benchmarks.serving.connection import photo_request
from benchmarks.serving.floor import images_per_second, open_floor, searches_per_second
from benchmarks.serving.load import Load, closed_loop, side_by_side_ratio
from benchmarks.serving.models import mobile_model, released_models
from benchmarks.serving.plan import COMMAND, Measured, Plan
from benchmarks.serving.service import serving, settings_of
from benchmarks.serving.shop import Shop, make_shop, model_words
from benchmarks.serving.uploads import load_uploads, prepare_catalogue

STEP = "throughput"
GOAL = 0.6
BATCHES = (1, 8, 32)
TURNS = 5


@dataclass(frozen=True)
class Rates:
    """Photos a second, turn by turn."""

    service: list[Load]
    raw: NDArray[np.float64]
    """(T,) bare onnxruntime on every core, at its best batch size."""
    floor: NDArray[np.float64]
    """(T,) decoding, onnxruntime and graph on every core, without a service."""
    batch: int


def measure(plan: Plan) -> Measured:
    """The figure `throughput_ratio`, and the same with the usual mobile backbone."""
    prepare_catalogue(plan)
    shops = {
        "": make_shop(plan, "released", released_models(plan)),
        "_mobilenet_v2": make_shop(plan, "mobile", [mobile_model(plan)]),
    }
    figures, details = dict[str, Figure](), dict[str, Any]()
    for suffix, shop in shops.items():
        rates = _rates(plan, shop)
        figures[f"throughput_ratio{suffix}"] = _figure(plan, shop, rates, goal=not suffix)
        details[f"throughput_ratio{suffix}"] = _details(rates)
    return Measured(figures, details)


def _rates(plan: Plan, shop: Shop) -> Rates:
    study, cores = plan.study, os.cpu_count() or 1
    seconds = study.measured_seconds / (3 * TURNS)
    photos = load_uploads(plan, study.uploads).photos
    requests, floor = [photo_request(photo, study.k) for photo in photos], open_floor(shop, study.k)
    tried = {batch: images_per_second(floor, photos, cores, batch, seconds) for batch in BATCHES}
    best = max(tried, key=tried.__getitem__)
    raw, bare, served = list[float](), list[float](), list[Load]()
    with serving(settings_of(shop, processes=cores), plan.places.scratch(STEP)) as service:
        for turn in range(TURNS):
            raw.append(images_per_second(floor, photos, cores, best, seconds))
            warm = study.warm_seconds if turn == 0 else study.warm_seconds / 10
            served.append(closed_loop(service, requests, study.clients, seconds, warm, study.seed))
            bare.append(searches_per_second(floor, photos, cores, seconds))
    return Rates(served, np.array(raw), np.array(bare), best)


def _figure(plan: Plan, shop: Shop, rates: Rates, goal: bool) -> Figure:
    ours = np.array([load.per_second for load in rates.service])
    ratio, interval = side_by_side_ratio(ours, rates.raw, plan.study.seed)
    bound = float(np.median(rates.floor / rates.raw))
    how = (
        f"photos a second of {plan.study.clients} clients that upload without pause to a service with "
        f"{os.cpu_count()} search processes ÷ bare onnxruntime on all {os.cpu_count()} cores at its best batch size "
        f"({rates.batch}), {model_words(shop)}; median of {TURNS} turns side by side, {np.median(ours):.0f} against "
        f"{np.median(rates.raw):.0f}; decoding, onnxruntime and graph in threads without any service reach "
        f"{bound:.2f} of the same; the clients take {100 * _share(rates):.0f} % of the processor time"
    )
    photos = sum(len(load.milliseconds) for load in rates.service)
    return Figure(
        ratio, "ratio", how, COMMAND, f">= {GOAL}" if goal else "", ratio >= GOAL if goal else None, interval, photos
    )


def _share(rates: Rates) -> float:
    clients = sum(load.client_seconds for load in rates.service)
    return clients / (clients + sum(load.service_seconds for load in rates.service))


def _details(rates: Rates) -> dict[str, Any]:
    return {
        "service": [round(load.per_second, 1) for load in rates.service],
        "raw": rates.raw.round(1).tolist(),
        "floor": rates.floor.round(1).tolist(),
        "service_ms_per_request": [
            round(1_000 * load.service_seconds / max(1, len(load.milliseconds)), 3) for load in rates.service
        ],
    }
