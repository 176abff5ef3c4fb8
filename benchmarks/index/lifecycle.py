"""Releases swapped and rolled back under load: does a search fail, does an answer mix, how long does it take?"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.index.kill_milvus import serve
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.index.swap_readers import Seen, reading
from benchmarks.index.swap_shop import SwapShop, make_shop
from benchmarks.results import Figure
from benchmarks.study import Measured
from lookalike.index.choose import open_index
from lookalike.release.manifest import live_release
from lookalike.release.promote import ALIAS, rollback

STEP = "lifecycle"
PAUSE_SECONDS = 0.02
"""Between two switches, so that searches meet before, during and after."""


@dataclass
class Switching:
    """What one backend showed."""

    rollback_seconds: list[float] = field(default_factory=list)
    swap_seconds: list[float] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    """By kind of reader."""


def measure(plan: Plan) -> Measured:
    """The figures `swap_failed`, `swap_mixed` and `rollback_seconds`."""
    turns, photos = (5, 60) if plan.quick else (100, 2_000)
    found = {
        "faiss": on_faiss(plan.places.scratch(STEP) / "faiss", turns, photos),
        "Milvus Lite": on_lite(plan.places.scratch(STEP) / "lite", turns, min(photos, 500)),
    }
    seen = [seen for switching in found.values() for seen in switching.seen.values()]
    answers, failed, mixed = (sum(getattr(one, name) for one in seen) for name in ("answers", "failed", "mixed"))
    rollbacks = [seconds for switching in found.values() for seconds in switching.rollback_seconds]
    how = "; ".join(f"{name}: {_told(switching)}" for name, switching in found.items())
    first = next((one.first_failure for one in seen if one.first_failure), "")
    figures = {
        "swap_failed": Figure(failed, "searches", f"{how} {first}".strip(), COMMAND, "0", failed == 0, n=answers),
        "swap_mixed": Figure(mixed, "answers", how, COMMAND, "0", mixed == 0, n=answers),
        "rollback_seconds": Figure(
            max(rollbacks),
            "seconds",
            f"the slowest of the verb's own work under load, without starting Python. {how}",
            COMMAND,
            "< 1",
            max(rollbacks) < 1,
            n=len(rollbacks),
        ),
    }
    return Measured(figures, {name: _details(switching) for name, switching in found.items()})


def on_faiss(root: Path, turns: int, photos: int) -> Switching:
    """Over a faiss folder, which readers in other processes open too."""
    return _switched(make_shop(root, f"faiss://{root / 'index'}", photos), turns)


def on_lite(root: Path, turns: int, photos: int) -> Switching:
    """Over Milvus Lite's server."""
    with _server(root) as uri:
        return _switched(make_shop(root / "shop", uri, photos), turns)


@contextmanager
def _server(root: Path) -> Iterator[str]:
    server = serve(root)
    try:
        yield server.uri
    finally:
        server.kill()


def _switched(shop: SwapShop, turns: int) -> Switching:
    """Roll back and forth, and swap the alias alone, while readers of both kinds search."""
    done = Switching()
    with ExitStack() as running, open_index(shop.uri) as index:
        readers = {kind: running.enter_context(reading(shop, kind)) for kind in ("alias", "engine")}
        for _ in range(turns):
            done.rollback_seconds.append(_timed(partial(rollback, shop.releases, index)))
            time.sleep(PAUSE_SECONDS)
        for turn in range(turns):
            target = shop.made[turn % 2].collection
            done.swap_seconds.append(_timed(partial(index.point_alias, ALIAS, target)))
            time.sleep(PAUSE_SECONDS)
        live = live_release(shop.releases)
        assert live is not None  # one was put in service before
        index.point_alias(ALIAS, live.collection)
        done.seen = {kind: reader.stop() for kind, reader in readers.items()}
    return done


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _told(switching: Switching) -> str:
    slowest = max(switching.rollback_seconds), max(switching.swap_seconds)
    readers = ", ".join(f"{seen.answers} answers by {kind}" for kind, seen in switching.seen.items())
    times = f"rollback at most {slowest[0]:.3f} s, alias alone {slowest[1]:.3f} s"
    return f"{len(switching.rollback_seconds)} rollbacks and as many swaps, {readers}; {times}"


def _details(switching: Switching) -> dict[str, Any]:
    return {
        "rollback_seconds": [round(seconds, 5) for seconds in switching.rollback_seconds],
        "swap_seconds": [round(seconds, 5) for seconds in switching.swap_seconds],
        "seen": {kind: vars(seen) for kind, seen in switching.seen.items()},
    }
