"""Measure the whole loop on the drawn sample shop: minutes from the first shifted query to the first answer by the
retrained release, with nobody at the keyboard, and the queries that failed on the way.

The service is the real one (KServe, Triton, Milvus Lite, Feast), trained and released beforehand by the training
pipeline. Clients ask without pause all the time, one with photos and one with products, whose answers are clicked. From
the shift on, `lookalike watch` runs again and again as a schedule would start it; nothing else is done.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from benchmarks.drift.loop_clients import Asked, ClickingClient, Client, PhotoClient
from benchmarks.drift.loop_shop import LoopShop, Watched, prepared
from benchmarks.drift.places import Places
from benchmarks.drift.plan import Measured, Plan
from benchmarks.drift.settings import Study
from benchmarks.results import Figure, record
from lookalike.config import StrictConfig
from lookalike.errors import LookalikeError, PipelineError
from lookalike.storage import read_json, write_json
from monitoring.runs.local import OUTCOME

COMMAND = "python -m benchmarks.drift.loop"
GOAL_MINUTES = 5.0


class LoopSettings(StrictConfig):
    """How the loop is measured."""

    products: int = Field(default=600, ge=200)
    """Products of the drawn shop."""
    repeats: int = Field(default=3, ge=1)
    """Shops, each drawn, trained and shifted by its own seed."""
    window: int = Field(default=150, ge=60)
    """Photos in a window of the watch; as many are kept as the release's early traffic."""
    every_seconds: float = Field(default=20.0, ge=0)
    """A watch begins so long after the one before began, or when that one has ended."""
    most_watches: int = Field(default=6, ge=2)
    """Watches after the shift that may pass until the loop counts as not closed."""
    settle_seconds: float = Field(default=5.0, ge=0)
    """How long the clients go on after the first answer by the retrained release."""
    floors: bool = True
    """Whether a first release must clear the gate's shipped floors; a shop of few products cannot."""


QUICK = LoopSettings(products=320, repeats=1, floors=False)
"""Does every part still work?"""


@dataclass(frozen=True)
class Loop:
    """What became of one shift."""

    seed: int
    minutes: float | None
    """From the first shifted query to the first answer by the retrained release; None where none was promoted."""
    minutes_of_retrain: float | None
    """The part of it from the start of the watch that decided."""
    watches: int
    """Watches from the shift on."""
    queries: int
    """From the shift on."""
    faults: dict[str, int]
    """What was wrong with answers, and how often; before the shift, too."""
    slowest_seconds: float
    """The slowest answer."""
    clicks: int
    """Clicks that the service took in."""
    learned: dict[str, Any]
    """Of the retraining: clicks collected, triplets made of them, and the gate's reasons."""


def measure(plan: Plan) -> Measured:
    """The shipped measure, or a single small loop for a quick plan."""
    settings = QUICK if plan.places.quick else LoopSettings()
    return measured(plan.places.root / "loop", settings, plan.study.seed)


def measured(root: Path, settings: LoopSettings, seed: int) -> Measured:
    """Close the loop `settings.repeats` times, each in a workspace of its own below `root`."""
    loops = [close_loop(root / str(number), settings, number) for number in range(seed, seed + settings.repeats)]
    details = {"settings": settings.model_dump(mode="json"), "loops": [asdict(loop) for loop in loops]}
    return Measured(figures_of(loops, settings), details)


def close_loop(root: Path, settings: LoopSettings, seed: int) -> Loop:
    """One shop from its release in service to its retrained release in service. Raises LookalikeError."""
    with prepared(root, settings.products, seed, _stage_settings(settings)) as shop:
        buyers, first = shop.buyers(seed), shop.release()
        shift = threading.Event()
        with shop.served() as url:
            photos = PhotoClient(url, buyers.ordinary, buyers.shifted, shift, buyers.ordinary[0])
            shoppers = ClickingClient(url, buyers.products, buyers.kinds, seed)
            clients = (photos, shoppers)
            for client in clients:
                client.start()
            try:
                _ordinary(shop, photos, settings)
                shift.set()
                watches = _watch_until_retrained(shop, settings)
                answered = _wait_for_answer(photos, shop.release(), settings) if shop.release() != first else None
            finally:
                for client in clients:
                    client.stop()
        return _came_to(shop, seed, photos, shoppers, watches, answered)


# ---- one loop, step by step


def _ordinary(shop: LoopShop, photos: PhotoClient, settings: LoopSettings) -> None:
    """Early traffic and one window without drift; a watch that acts on it would make all that follows worthless."""
    while len(photos.asked) < 2.5 * settings.window:
        time.sleep(0.1)
    time.sleep(_LOGGED_SECONDS)
    if shop.watch().started_a_run:
        raise PipelineError(f"a run was started before anything shifted; see {shop.place.logs / 'watches.log'}")


_LOGGED_SECONDS = 11.0
"""The service writes its log every ten."""


def _watch_until_retrained(shop: LoopShop, settings: LoopSettings) -> list[Watched]:
    """The schedule: nobody looks whether there is enough traffic, or what the watch before said."""
    due, watches = time.monotonic() + settings.every_seconds, list[Watched]()
    while len(watches) < settings.most_watches and not (watches and watches[-1].started_a_run):
        time.sleep(max(0.0, due - time.monotonic()))
        due = time.monotonic() + settings.every_seconds
        watches.append(shop.watch())
    return watches


def _wait_for_answer(photos: PhotoClient, release: str, settings: LoopSettings) -> float | None:
    """When the first answer by a release had come; None where none came within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for one in list(photos.asked):
            if one.release == release:
                time.sleep(settings.settle_seconds)
                return one.at + one.seconds
        time.sleep(0.05)
    return None


def _came_to(
    shop: LoopShop,
    seed: int,
    photos: PhotoClient,
    shoppers: ClickingClient,
    watches: Sequence[Watched],
    answered: float | None,
) -> Loop:
    shifted = photos.shifted_at or 0.0
    everything = _everything([photos, shoppers])
    faults = Counter(one.fault for one in everything if one.fault is not None) + Counter(shoppers.refused)
    return Loop(
        seed=seed,
        minutes=None if answered is None else (answered - shifted) / 60,
        minutes_of_retrain=None if answered is None else (answered - watches[-1].began) / 60,
        watches=len(watches),
        queries=sum(one.at >= shifted for one in everything),
        faults=dict(faults),
        slowest_seconds=max(one.seconds for one in everything),
        clicks=shoppers.clicks,
        learned=_learned(shop),
    )


def _everything(clients: Sequence[Client]) -> list[Asked]:
    return [one for client in clients for one in client.asked]


def _learned(shop: LoopShop) -> dict[str, Any]:
    """From the stages' records that the retraining left."""
    left = [read_json(path) for path in shop.place.pipeline_runs.glob(f"retrain-*/{OUTCOME}")]
    figures = {task["stage"]: task["figures"] for run in left for _, task in run.get("records", ())}
    collected, mined, judged = (figures.get(name, {}) for name in ("collect_feedback", "mine", "evaluate"))
    return {
        "clicked": collected.get("clicked", 0),
        "labelled": collected.get("labelled", 0),
        "events": collected.get("events", {}),
        "alarms": collected.get("alarms", []),
        "click_triplets": mined.get("click_triplets", 0),
        "promoted": judged.get("promote", False),
        "reasons": judged.get("reasons", []),
    }


# ---- figures


def figures_of(loops: Sequence[Loop], settings: LoopSettings) -> dict[str, Figure]:
    """Minutes of the loops that closed, and everything that failed in any."""
    closed = [loop for loop in loops if loop.minutes is not None]
    minutes = [loop.minutes for loop in closed if loop.minutes is not None]
    failed, queries = sum(sum(loop.faults.values()) for loop in loops), sum(loop.queries for loop in loops)
    slow = len(closed) < len(loops) or not minutes or max(minutes) >= GOAL_MINUTES
    return {
        "loop_minutes": Figure(
            value=float(np.mean(minutes)) if minutes else None,
            unit="minutes",
            how=_told_minutes(loops, closed, settings),
            command=COMMAND,
            goal=f"< {GOAL_MINUTES:g}",
            met=not slow,
            interval=(min(minutes), max(minutes)) if minutes else None,
            n=len(loops),
        ),
        "loop_failed_queries": Figure(
            value=failed,
            unit="queries",
            how=_told_faults(loops, queries),
            command=COMMAND,
            goal="0",
            met=failed == 0,
            n=queries,
        ),
    }


def _told_minutes(loops: Sequence[Loop], closed: Sequence[Loop], settings: LoopSettings) -> str:
    parts = "; ".join(
        f"seed {loop.seed}: {loop.minutes:.2f} of which {loop.minutes_of_retrain:.2f} from the start of the deciding "
        f"watch, {loop.watches} watches, {loop.learned['clicked']} clicks collected, "
        f"{loop.learned['click_triplets']} triplets of them"
        for loop in closed
        if loop.minutes is not None and loop.minutes_of_retrain is not None
    )
    missed = f"; {len(loops) - len(closed)} of {len(loops)} loops did not close" if len(closed) < len(loops) else ""
    return (
        f"mean over {len(closed)} drawn shops of {settings.products} products (interval: smallest to largest), from "
        f"the first photo of another camera to the first answer by the retrained release, unattended: windows of "
        f"{settings.window} photos, 2 of 3 must drift, `lookalike watch` {settings.every_seconds:g} s after the one "
        f"before or when that ends; a retrain of a quarter of the recipe's epochs from the live release, all on the "
        f"machine that serves two clients without pause. {parts}{missed}"
    )


def _told_faults(loops: Sequence[Loop], queries: int) -> str:
    faults = Counter[str]()
    for loop in loops:
        faults.update(loop.faults)
    told = "; ".join(f"{count} x {fault}" for fault, count in faults.most_common(5))
    slowest = max(loop.slowest_seconds for loop in loops)
    return (
        f"answers other than 200, time-outs of 30 s, releases that came back after their successor, answers that "
        f"differ within one release, and feedback not taken in, among the {queries} queries from the shift to 5 s after the "
        f"first answer by the retrained release, in {len(loops)} loops; the slowest took {slowest:.1f} s"
        + (f". They were: {told}" if told else "")
    )


def _stage_settings(settings: LoopSettings) -> dict[str, Any]:
    floors = {"minimum_fine_precision": 0.0, "minimum_coarse_precision": 0.0, "minimum_recall": 0.0}
    drift = {"max_rows": settings.window, "early_rows": settings.window}
    return {"drift": drift, **({} if settings.floors else {"evaluate": {"gate": floors}})}


def main() -> int:
    """0: measured; 2: something a person can put right."""
    parser = argparse.ArgumentParser(f"{COMMAND}", description=__doc__)
    parser.add_argument("--workspace", help="where the shops are drawn and trained; kept for the next time")
    parser.add_argument("--seed", type=int, default=0, help="of the first shop")
    parser.add_argument("--repeats", type=int, default=0, help="shops; 0 for the measure's own")
    parser.add_argument("--quick", action="store_true", help="one small shop; figures are only printed")
    chosen = parser.parse_args()
    places = Places(Path(chosen.workspace or Path(tempfile.gettempdir()) / "bench-drift"), chosen.quick)
    settings = QUICK if chosen.quick else LoopSettings()
    settings = settings.model_copy(update={"repeats": chosen.repeats} if chosen.repeats else {})
    try:
        found = measured(places.root / "loop", settings, Study(seed=chosen.seed).seed)
    except LookalikeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    write_json(places.root / "loop" / "loops.json", found.details)
    if chosen.quick:
        sys.stdout.write(f"{found}\n")
    else:
        record("drift", found.figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
