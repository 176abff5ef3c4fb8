"""The search service of a drill, in this process: the engine that serves, over an exact index, with a query log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from app.drill.drilled import Drilled
from app.drill.stand_in import StandIn
from lookalike.catalog.groups import product_groups
from lookalike.config import StrictConfig
from lookalike.embedders.protocol import Embedder, Embeddings, ModelIdentity
from lookalike.errors import BackendUnavailable
from lookalike.features.memory import MemoryFeatures
from lookalike.index.embedding import embed_gallery
from lookalike.index.gallery import gallery_batches, gallery_fields
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo
from lookalike.progress import progress
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from lookalike.search.query_log_keeping import QueryLogSettings
from serving.query_log import QueryLog

BATCH, ROWS = 128, 2_000
HITS = 5
"""Answers asked for."""
DAY = timedelta(days=1)


class Traffic(StrictConfig):
    """What became of a window's searches."""

    requests: int
    """Searches asked for."""
    failed: int
    """Those that failed on our side: HTTP 503."""
    empty: int
    """Those that found nothing."""
    degraded: tuple[str, ...]
    """Parts that had failed and not answered since when the window ended."""


@dataclass
class SilenceableEmbedder:
    """An embedder that can be made to answer nobody."""

    embedder: Embedder
    silent: bool = False

    @property
    def identity(self) -> ModelIdentity:
        return self.embedder.identity

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        if self.silent:
            raise BackendUnavailable("the model does not answer: this is a drill")
        return self.embedder.embed(pixels)


@dataclass
class Clock:
    """The drill's time; it moves when it is told to."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


class Service:
    """Answers windows of photos, a simulated day each, and logs them as the real service does."""

    def __init__(self, drilled: Drilled, standing: StandIn) -> None:
        self._embedder = SilenceableEmbedder(drilled.embedder)
        self._release = standing.release
        self._index = exact_index(drilled, standing)
        self._log = standing.shop.query_log

    def answer(self, photos: Sequence[bytes], begin: datetime, silent: bool = False) -> Traffic:
        """Ask for every photo, spread over the day that begins then."""
        self._embedder.silent = silent
        engine = SearchEngine(
            self._embedder, self._index, MemoryFeatures({}), self._release
        )  # a new day, a new circuit
        clock, failed, empty = Clock(begin), 0, 0
        log = QueryLog(self._log, QueryLogSettings(seconds_per_part=3600, rows_per_part=len(photos) + 1), now=clock)
        try:
            for number, photo in enumerate(progress(photos, f"queries of {begin:%d %B}")):
                clock.now = begin + number * DAY / (len(photos) + 1)
                request = SearchRequest(photo=photo, k=HITS)
                try:
                    answer = engine.search(request)
                except BackendUnavailable:
                    failed += 1
                    continue
                empty += not answer.hits
                log.add(answer, request)
        finally:
            log.close()
        return Traffic(requests=len(photos), failed=failed, empty=empty, degraded=engine.degraded())


def exact_index(drilled: Drilled, standing: StandIn) -> MemoryIndex:
    """Every photo that the stand-in knows, compared exactly; no file and no server is touched."""
    catalogue, release = drilled.catalogue, standing.release
    gallery, _ = embed_gallery(catalogue, drilled.embedder, BATCH, drilled.gallery)
    fields, dimension = gallery_fields(catalogue), drilled.embedder.identity.dimension
    index = MemoryIndex()
    index.create(CollectionInfo(release.collection, release.release_id, release.model_fingerprint, dimension, fields))
    for batch in gallery_batches(catalogue, gallery, product_groups(catalogue), ROWS):
        index.upsert(release.collection, batch)
    index.delete(release.collection, sorted(standing.without))
    index.seal(release.collection)
    return index
