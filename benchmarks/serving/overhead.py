"""What the service adds to decoding, onnxruntime and the graph, for one client that uploads photos."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.results import Figure
from benchmarks.serving.connection import Connection, photo_request
from benchmarks.serving.floor import LEGS, open_floor
from benchmarks.serving.load import side_by_side_ratio
from benchmarks.serving.models import mobile_model, released_models
from benchmarks.serving.parts import running_parts
from benchmarks.serving.plan import COMMAND, Plan
from benchmarks.serving.service import serving, settings_of
from benchmarks.serving.shop import Shop, make_shop, model_words
from benchmarks.serving.uploads import load_uploads, prepare_catalogue
from benchmarks.study import Measured

STEP = "overhead"
GOAL = 1.5


@dataclass(frozen=True)
class Compared:
    """One shop's service beside its floor; T turns of P photos each."""

    floor: NDArray[np.float64]
    """(T, P, 3) milliseconds of the legs."""
    service: NDArray[np.float64]
    """(T, P) milliseconds until the client has the answer."""
    stages: list[dict[str, float]]
    """The milliseconds that each answer says of itself."""


def measure(plan: Plan) -> Measured:
    """The figure `overhead_p50_ratio`, and the same with the usual mobile backbone, in Triton and on Milvus Lite."""
    prepare_catalogue(plan)
    models = tuple(released_models(plan))
    shop = make_shop(plan, "released", models)
    figures, details = dict[str, Figure](), dict[str, Any]()

    def add(suffix: str, shop: Shop, **chosen: Any) -> None:
        compared, key = compare(plan, shop, **chosen), f"overhead_p50_ratio{suffix}"
        figures[key], details[key] = _figure(plan, shop, compared, goal=not suffix), legs(compared)

    add("", shop)
    add("_mobilenet_v2", make_shop(plan, "mobile", [mobile_model(plan)]))
    with running_parts(plan, shop, models, plan.places.scratch(STEP)) as parts:
        add("_milvus_lite", shop, milvus_uri=parts.milvus.uri)
        if parts.triton is not None:
            add("_triton", shop, triton_url=parts.triton.grpc_address, triton_http=parts.triton.http_address)
    return Measured(figures, details)


def compare(plan: Plan, shop: Shop, **chosen: Any) -> Compared:
    """Turns of the floor in this process and of the service in its own, over the same photos; one waits always.

    The service has its default settings but for those chosen.
    """
    study = plan.study
    photos = load_uploads(plan, study.uploads).photos
    floor = open_floor(shop, study.k)
    with ExitStack() as open_parts:
        service = open_parts.enter_context(serving(settings_of(shop, **chosen), plan.places.scratch(STEP)))
        connection = open_parts.enter_context(Connection(service.http_port))
        _turn(lambda photo: _ask(connection, photo, study.k), photos[: study.per_turn])
        _turn(floor.ask, photos[: study.per_turn])
        found: list[tuple[list[Any], list[Any]]] = []
        for turn in range(study.turns):
            start = turn * study.per_turn
            asked = [photos[place % len(photos)] for place in range(start, start + study.per_turn)]
            bare = _turn(floor.ask, asked)
            found.append((bare, _turn(lambda photo: _ask(connection, photo, study.k), asked)))
    return Compared(
        1_000 * np.array([bare for bare, _ in found]),
        1_000 * np.array([[spent for spent, _ in served] for _, served in found]),
        [orjson.loads(body)["timings_ms"] for _, served in found for _, body in served],
    )


def _turn(ask: Callable[[bytes], Any], photos: Sequence[bytes]) -> list[Any]:
    return [ask(photo) for photo in photos]


def _ask(connection: Connection, photo: bytes, k: int) -> tuple[float, bytes]:
    request = photo_request(photo, k)
    started = time.perf_counter()
    reply = connection.ask(request)
    spent = time.perf_counter() - started
    assert reply.status == 200, reply.body[:200]
    return spent, reply.body


def legs(compared: Compared) -> dict[str, Any]:
    """Median milliseconds of every leg in the service and in the floor, and what no leg accounts for."""
    floor = {leg: float(np.median(compared.floor[:, :, place])) for place, leg in enumerate(LEGS)}
    stages = {name: float(np.median([each[name] for each in compared.stages])) for name in compared.stages[0]}
    total, service = stages.pop("total"), float(np.median(compared.service))
    added = {name: spent - floor.get(name, 0.0) for name, spent in stages.items()}
    added["other work of the engine"] = total - sum(stages.values())
    added["HTTP, threads and JSON"] = service - total
    return {
        "floor_ms": floor,
        "floor_p50_ms": float(np.median(compared.floor.sum(axis=2))),
        "service_p50_ms": service,
        "service_p99_ms": float(np.quantile(compared.service, 0.99)),
        "stages_ms": stages,
        "added_ms": added,
    }


def _figure(plan: Plan, shop: Shop, compared: Compared, goal: bool) -> Figure:
    ours, floor = np.median(compared.service, axis=1), np.median(compared.floor.sum(axis=2), axis=1)
    ratio, interval = side_by_side_ratio(ours, floor, plan.study.seed)
    told = legs(compared)
    added = ", ".join(f"{name} {spent:+.2f}" for name, spent in told["added_ms"].items())
    how = (
        f"p50 of POST /search?k={plan.study.k} over loopback ÷ p50 of decode + bare onnxruntime + bare faiss graph in "
        f"one process, one thread each, {model_words(shop)}; {compared.service.shape[0]} turns side by side of "
        f"{compared.service.shape[1]} real photos; {told['service_p50_ms']:.2f} ms against "
        f"{told['floor_p50_ms']:.2f} ms; added ms by leg: {added}"
    )
    return Figure(
        ratio,
        "ratio",
        how,
        COMMAND,
        f"<= {GOAL}" if goal else "",
        ratio <= GOAL if goal else None,
        interval,
        compared.service.size,
    )
