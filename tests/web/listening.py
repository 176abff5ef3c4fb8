"""The drawn shop in service, by a search engine that notes what it is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from serving.photos.settings import PhotoSettings
from tests.serving.running import Client, put_live, running, settings, until
from tests.web.shop import DrawnShop


class Asked:
    """Requests that reached the engine, oldest first."""

    def __init__(self) -> None:
        self.requests: list[SearchRequest] = []

    def next(self) -> SearchRequest:
        """Take the oldest, waiting for it."""
        until(lambda: bool(self.requests))
        return self.requests.pop(0)


class ListeningEngine(SearchEngine):
    """Answers as ever."""

    asked: Asked

    def search(self, request: SearchRequest, *more: Any) -> SearchAnswer:
        self.asked.requests.append(request)
        return super().search(request, *more)


@contextmanager
def serving(shop: DrawnShop, folder: Path, asked: Asked) -> Iterator[Client]:
    """A real server of the shop, photos too, until the block ends; its engine notes its requests in `asked`."""

    def make(release: Any) -> SearchEngine:
        engine = ListeningEngine(shop.embedder, shop.index, shop.features, release, fusion=shop.fusion)
        engine.asked = asked
        return engine

    put_live(folder / "releases", shop)
    with running(settings(folder, photos=PhotoSettings(catalogue=shop.folder)), make) as client:
        yield client
