"""Releases switched and rolled back while clients of every protocol ask: does a request fail, does an answer mix?"""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.results import Figure
from benchmarks.serving.models import released_models
from benchmarks.serving.plan import COMMAND, Plan
from benchmarks.serving.protocols import PROTOCOLS
from benchmarks.serving.service import serving, settings_of
from benchmarks.serving.shop import Shop, make_shop
from benchmarks.serving.truth import known_answers
from benchmarks.serving.uploads import load_uploads, prepare_catalogue
from benchmarks.serving.watchers import DEGRADED, FAILED, WRONG, Event, Watchers, until, watching
from benchmarks.study import Measured
from lookalike.index.choose import open_index
from lookalike.release.manifest import live_release
from lookalike.release.promote import rollback

STEP = "swaps"
POLL_SECONDS = 0.05
THINK_SECONDS = 0.02
LOOKED_BACK_SECONDS = 30.0
"""A switch is seen by the clients within that time, or something is wrong."""


def measure(plan: Plan) -> Measured:
    """The figures `serving_swap_failed` and `serving_swap_mixed`."""
    prepare_catalogue(plan)
    shop = make_shop(plan, "released", released_models(plan))
    photos = load_uploads(plan, plan.study.known).photos
    truth = known_answers(shop, photos, plan.study.k)
    settings = settings_of(shop, poll_seconds=POLL_SECONDS)
    with (
        serving(settings, plan.places.scratch(STEP)) as service,
        watching(service, photos, truth, plan.study.k, THINK_SECONDS) as watchers,
    ):
        until(lambda: watchers.release != "", "a first answer")
        seconds = [_switch(shop, watchers) for _ in range(plan.study.switches)]
        events = watchers.stop()
    return _told(plan, seconds, events)


def _switch(shop: Shop, watchers: Watchers) -> float:
    """Go back to the release before; seconds until the service answers with it, loaded and proven."""
    started = time.monotonic()
    with open_index(shop.uri) as index:
        rollback(shop.workspace.releases, index)
    live = live_release(shop.workspace.releases)
    assert live is not None  # one is always in service
    until(lambda: watchers.release == live.release_id, f"release {live.release_id[:12]}", LOOKED_BACK_SECONDS)
    return time.monotonic() - started


def _told(plan: Plan, seconds: Sequence[float], events: Sequence[Event]) -> Measured:
    outcomes = Counter(event.outcome for event in events)
    per_protocol = {name: sum(event.protocol == name for event in events) for name in PROTOCOLS}
    met = ", ".join(f"{count:,} by {name}" for name, count in per_protocol.items())
    how = (
        f"{len(seconds)} switches back and forth between two releases while clients of every protocol ask ({met}; v1, "
        f"v2 and gRPC two photos a request); every answer held to the known one of the release it names; a switch is "
        f"answered with after {np.median(seconds):.2f} s in the median, {max(seconds):.2f} s at most; "
        f"{outcomes[DEGRADED]} right answers without features"
    )
    first = next((f"; the first: {event.protocol} {event.said}" for event in events if _bad(event)), "")
    figures = {
        key: Figure(count, unit, how + first, COMMAND, "0", count == 0, n=len(events))
        for key, unit, count in (
            ("serving_swap_failed", "requests", outcomes[FAILED]),
            ("serving_swap_mixed", "answers", outcomes[WRONG]),
        )
    }
    return Measured(figures, {"requests": per_protocol, "outcomes": dict(outcomes), "seconds": _rounded(seconds)})


def _bad(event: Event) -> bool:
    return event.outcome in (FAILED, WRONG)


def _rounded(seconds: Sequence[float]) -> list[Any]:
    return [round(each, 3) for each in seconds]
