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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.drift.loop_clients import Asked, ClickingClient, Client, PhotoClient
from benchmarks.drift.loop_figures import COMMAND, QUICK, Loop, LoopSettings, figures_of
from benchmarks.drift.loop_shop import LoopShop, Watched, prepared
from benchmarks.drift.places import Places
from benchmarks.drift.plan import Measured, Plan
from benchmarks.drift.settings import Study
from benchmarks.results import record
from lookalike.errors import LookalikeError, PipelineError
from lookalike.storage import read_json, write_json
from monitoring.runs.local import OUTCOME

LOGGED_SECONDS = 11.0
"""The service writes its log every ten."""


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
    with prepared(root, settings.products, settings.epochs, seed, _stage_settings(settings)) as shop:
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
    time.sleep(LOGGED_SECONDS)
    if shop.watch().started_a_run:
        raise PipelineError(f"a run was started before anything shifted; see {shop.place.logs / 'watches.log'}")


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
        queries=len(everything),
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


def _stage_settings(settings: LoopSettings) -> dict[str, Any]:
    drift = {"max_rows": settings.window, "early_rows": settings.window}
    return {"drift": drift, **({} if settings.shipped_gate else {"evaluate": {"gate": OPEN_GATE}})}


OPEN_GATE = {
    **dict.fromkeys(("minimum_fine_precision", "minimum_coarse_precision", "minimum_recall"), 0.0),
    **dict.fromkeys(("precision_tolerance", "recall_tolerance", "head_tolerance", "recent_tolerance"), 1.0),
    **dict.fromkeys(("vertical_tolerance", "vertical_share"), 1.0),
    **dict.fromkeys(("latency_ratio", "size_ratio"), 100.0),
}
"""Lets everything through but leaks and alarms."""


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
