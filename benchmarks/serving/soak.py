"""The soak: load of every protocol for an hour while a part is struck every minute. Is an answer ever wrong, how fast
is all well again, does memory grow?"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from scipy.stats import linregress, t

from benchmarks.results import Figure
from benchmarks.serving.faults import Fault, faults
from benchmarks.serving.models import released_models
from benchmarks.serving.parts import running_parts
from benchmarks.serving.plan import COMMAND, Plan
from benchmarks.serving.service import Service, serving, settings_of
from benchmarks.serving.shop import make_shop
from benchmarks.serving.truth import known_answers
from benchmarks.serving.uploads import load_uploads, prepare_catalogue
from benchmarks.serving.watchers import DEGRADED, FAILED, GOOD, WRONG, Event, until, watching
from benchmarks.study import Measured
from lookalike.progress import progress

STEP = "soak"
THINK_SECONDS = 0.5
RECOVERY_SECONDS = 5.0
QUIET_SECONDS = 5.0
"""All is well again once every request was answered fully for that long."""
SAMPLE_SECONDS = 1.0
WARM_SHARE = 0.2
"""Of the soak, before memory counts: caches fill and every part has been loaded twice."""


@dataclass(frozen=True)
class Struck:
    """One fault that was."""

    name: str
    began: float
    """Seconds of the monotonic clock, like `ended`."""
    ended: float


@dataclass(frozen=True)
class Memory:
    """What the service held, second by second."""

    seconds: list[float]
    mib: list[float]


def measure(plan: Plan) -> Measured:
    """The figures `soak_wrong_answers`, `soak_recovery_s` and what goes with them."""
    prepare_catalogue(plan)
    models = tuple(released_models(plan))
    shop, scratch = make_shop(plan, "released", models), plan.places.scratch(STEP)
    photos = load_uploads(plan, plan.study.known).photos
    truth = known_answers(shop, photos, plan.study.k)
    with (
        running_parts(plan, shop, models, scratch) as parts,
        serving(settings_of(shop, **parts.addresses()), scratch) as service,
        watching(service, photos, truth, plan.study.k, THINK_SECONDS) as watchers,
    ):
        with _memory(service) as memory:
            until(lambda: any(event.outcome == GOOD for event in watchers.events), "a first good answer")
            struck = _strike(plan, faults(plan, shop, service, parts, photos[0]))
        events = watchers.stop()
    return _told(plan, struck, events, memory, parts.triton is not None)


def _strike(plan: Plan, known: Sequence[Fault]) -> list[Struck]:
    """A fault after the other, each at the beginning of its minute."""
    study, start = plan.study, time.monotonic()
    count = max(1, int(60 * study.soak_minutes / study.fault_seconds))
    struck = list[Struck]()
    for turn, fault in progress(zip(range(count), cycle(known), strict=False), "faults", total=count):
        time.sleep(max(0.0, start + turn * study.fault_seconds - time.monotonic()))
        began = time.monotonic()
        fault.strike()
        struck.append(Struck(fault.name, began, time.monotonic()))
    time.sleep(max(0.0, start + count * study.fault_seconds - time.monotonic()))
    return struck


@contextmanager
def _memory(service: Service) -> Iterator[Memory]:
    memory, stop = Memory([], []), threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            memory.seconds.append(time.monotonic())
            memory.mib.append(service.memory_mib())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()


def recoveries(struck: Sequence[Struck], events: Sequence[Event]) -> list[float]:
    """Per fault, seconds from its end until requests are answered fully, and go on so for QUIET_SECONDS."""
    ends = [each.began for each in struck[1:]] + [float("inf")]
    return [_recovery(fault, end, events) for fault, end in zip(struck, ends, strict=True)]


def _recovery(fault: Struck, next_began: float, events: Sequence[Event]) -> float:
    well = fault.ended
    for event in events:
        if event.outcome == GOOD or not fault.began <= event.ended < next_began:
            continue
        if event.began > well + QUIET_SECONDS:
            break
        well = max(well, event.ended)
    return well - fault.ended


def slope(memory: Memory, warm_share: float = WARM_SHARE, pieces: int = 40) -> tuple[float, tuple[float, float]]:
    """MiB per hour over medians of equal stretches, and its 95 % interval; the start is left out."""
    first = int(warm_share * len(memory.seconds))
    rows = [part for part in np.array_split(np.arange(first, len(memory.seconds)), pieces) if len(part)]
    seconds, mib = np.array(memory.seconds), np.array(memory.mib)
    hours = np.array([np.median(seconds[part]) for part in rows]) / 3_600
    fitted = linregress(hours, [np.median(mib[part]) for part in rows])
    reach = float(t.ppf(0.975, len(rows) - 2) * fitted.stderr)
    return float(fitted.slope), (float(fitted.slope) - reach, float(fitted.slope) + reach)


def _told(plan: Plan, struck: Sequence[Struck], events: Sequence[Event], memory: Memory, triton: bool) -> Measured:
    minutes = len(struck) * plan.study.fault_seconds / 60
    outcomes, taken = Counter(event.outcome for event in events), recoveries(struck, events)
    grown, interval = slope(memory)
    kinds = dict.fromkeys(fault.name for fault in struck)
    load = f"{minutes:.0f} minutes, a fault every {plan.study.fault_seconds:g} s ({len(struck)}: {', '.join(kinds)})"
    met = (
        f"{len(events):,} requests over four protocols, {outcomes[GOOD]:,} answered fully, {outcomes[DEGRADED]:,} "
        f"without features, {outcomes[FAILED]:,} refused or failed while a part was away"
    )
    first = next((f"; the first wrong one: {event.said}" for event in events if event.outcome == WRONG), "")
    worst = max(range(len(taken)), key=taken.__getitem__)
    away = "Triton, Milvus Lite and Feast" if triton else "Milvus Lite and Feast (no Triton on this machine)"
    figures = {
        "soak_wrong_answers": Figure(
            outcomes[WRONG],
            "answers",
            f"{load}; {away} as processes of their own; {met}; every answer held to the known one{first}",
            COMMAND,
            "0",
            outcomes[WRONG] == 0,
            n=len(events),
        ),
        "soak_recovery_s": Figure(
            max(taken),
            "seconds",
            f"from the end of a fault until every request is answered fully for {QUIET_SECONDS:g} s on end; the "
            f"slowest of {len(taken)}, {struck[worst].name}; median {np.median(taken):.2f} s",
            COMMAND,
            f"< {RECOVERY_SECONDS:g}",
            max(taken) < RECOVERY_SECONDS,
            n=len(taken),
        ),
        "soak_memory_slope": Figure(
            grown,
            "MiB/hour",
            f"of the service's resident memory over {minutes:.0f} minutes without the first {100 * WARM_SHARE:.0f} %; "
            f"least squares over 40 medians; median {np.median(memory.mib):.0f} MiB, at most {max(memory.mib):.0f}",
            COMMAND,
            "about 0",
            interval[0] <= 0 <= interval[1] or abs(grown) < 0.05 * float(np.median(memory.mib)),
            interval,
            len(memory.mib),
        ),
    }
    return Measured(figures, _details(struck, events, taken, memory))


def _details(
    struck: Sequence[Struck], events: Sequence[Event], taken: Sequence[float], memory: Memory
) -> dict[str, Any]:
    by_fault: dict[str, Counter[str]] = defaultdict(Counter)
    starts = np.array([each.began for each in struck])
    for event in events:
        turn = int(np.searchsorted(starts, event.ended, side="right")) - 1
        by_fault[struck[max(0, turn)].name][event.outcome] += 1
    slowest = {
        name: max(spent for fault, spent in zip(struck, taken, strict=True) if fault.name == name) for name in by_fault
    }
    return {
        "faults": {
            name: {"struck": sum(each.name == name for each in struck), "recovery_s": round(slowest[name], 2), **counts}
            for name, counts in by_fault.items()
        },
        "said": dict(Counter(event.said for event in events if event.outcome == FAILED)),
        "mib": [round(value) for value in memory.mib[:: max(1, len(memory.mib) // 200)]],
    }
