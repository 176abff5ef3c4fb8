"""Processes that search without pause while releases are switched, and count what they see."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.index.swap_shop import SwapShop, belongs, queries
from lookalike.features.memory import MemoryFeatures
from lookalike.index.choose import open_index
from lookalike.index.protocol import VectorIndex
from lookalike.release.manifest import Release
from lookalike.release.promote import ALIAS
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from serving.live import LiveEngine

PATIENCE_SECONDS = 60.0
_SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Seen:
    """What one reader met."""

    answers: int = 0
    failed: int = 0
    mixed: int = 0
    """Answers with hits of two releases, or of another than the one they name."""
    releases: int = 0
    """How many different releases answered: 2, or the test tested nothing."""
    first_failure: str = ""


class Reader:
    """A process under way."""

    def __init__(self, process: Any, asked_to_stop: Any, seen: Any) -> None:
        self._process, self._asked_to_stop, self._seen = process, asked_to_stop, seen

    def stop(self) -> Seen:
        """End it; what it saw."""
        self._asked_to_stop.set()
        found: Seen = self._seen.get(timeout=PATIENCE_SECONDS)
        self._process.join(PATIENCE_SECONDS)
        return found


@contextmanager
def reading(shop: SwapShop, kind: str) -> Iterator[Reader]:
    """A reader of the alias, or one through the search engine; it has had its first answer."""
    ready, stop, seen = _SPAWN.Event(), _SPAWN.Event(), _SPAWN.Queue()
    process = _SPAWN.Process(target=_read, args=(shop, kind, ready, stop, seen), daemon=True)
    process.start()
    try:
        if not ready.wait(PATIENCE_SECONDS):
            raise RuntimeError(f"the reader by {kind} does not start")
        yield Reader(process, stop, seen)
    finally:
        process.kill()
        process.join()


def _read(shop: SwapShop, kind: str, ready: Any, stop: Any, told: Any) -> None:
    seen, names = Seen(), set()
    with open_index(shop.uri) as index:
        live = LiveEngine(shop.releases, lambda release: _engine(shop, index, release), poll_seconds=0.005)
        live.load()
        live.start()
        ask = _by_alias(shop, index) if kind == "alias" else _by_engine(live)
        while not stop.is_set():
            try:
                release, photos = ask()
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is what is counted
                seen.failed += 1
                seen.first_failure = seen.first_failure or repr(error)
            else:
                names.add(release.release_id)
                seen.mixed += not all(belongs(photo, release) for photo in photos)
            seen.answers += 1
            ready.set()
        live.close()
    seen.releases = len(names)
    told.put(seen)


def _by_alias(shop: SwapShop, index: VectorIndex) -> Callable[[], tuple[Release, list[str]]]:
    """Eight queries in one search; the first hit says which release the others must be of."""
    asked = queries(8)

    def ask() -> tuple[Release, list[str]]:
        photos = [hit.photo_id for hits in index.search(ALIAS, asked, 10) for hit in hits]
        return next(one for one in shop.made if belongs(photos[0], one)), photos

    return ask


def _by_engine(live: LiveEngine) -> Callable[[], tuple[Release, list[str]]]:
    """As the service does it: the engine of the live release, which the answer names."""

    def ask() -> tuple[Release, list[str]]:
        engine = live.current
        assert engine is not None  # loaded before
        answer = engine.search(SearchRequest(product_id="p00007", k=10))
        assert answer.release_id == engine.release.release_id
        return engine.release, [hit.photo_id for hit in answer.hits]

    return ask


def _engine(shop: SwapShop, index: VectorIndex, release: Release) -> SearchEngine:
    return SearchEngine(shop.embedders[release.model_fingerprint], index, MemoryFeatures({}), release)
