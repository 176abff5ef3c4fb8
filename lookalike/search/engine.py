"""Query to answer: decode, embed, read one page of what the index finds, add features."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from pydantic import Field

from lookalike.catalog.colours import colour_histogram
from lookalike.catalog.images import ImageLimits
from lookalike.catalog.photo_quality import sharpness
from lookalike.config import StrictConfig
from lookalike.deadline import Clock, Deadline
from lookalike.embedders.protocol import Embedder, Embeddings
from lookalike.errors import NotFound, ReleaseMismatch
from lookalike.features.protocol import FeatureLookup, Features
from lookalike.fusion import NEIGHBOURS, Fusion
from lookalike.index.predicates import OneOf, Where, fields_of
from lookalike.index.protocol import CollectionInfo, Hit
from lookalike.observation import predicted_attributes
from lookalike.release.manifest import Release
from lookalike.search.answer import Prediction, SearchAnswer, search_hits
from lookalike.search.breaker import Breaker, BreakerSettings
from lookalike.search.candidates import CandidateLimits
from lookalike.search.category import VERTICAL, CategoryTold, check_category, settled_use, tell_category
from lookalike.search.cursor import Bookmark, bookmark_of, cursor_at
from lookalike.search.explaining import explain
from lookalike.search.grouping import check_group, filterable
from lookalike.search.guard import Guard
from lookalike.search.guarded import GuardedEmbedder, GuardedIndex, SearchedIndex
from lookalike.search.narrowing import NarrowingLimits, believed, narrowing
from lookalike.search.observing import observe
from lookalike.search.page import Page, Query, read_page
from lookalike.search.product import ProductAnswer, known_photos, product_answer
from lookalike.search.punctual import PunctualFeatures
from lookalike.search.query import SearchRequest, check_filters
from lookalike.search.reranking import check_colours
from lookalike.search.stock import Stocked, StockLimits, in_stock_first, stock_told
from lookalike.search.timing import Spans, Stopwatch


class SearchLimits(StrictConfig):
    """What one answer may cost."""

    image: ImageLimits = ImageLimits()
    """Largest photo that is decoded."""
    candidates: CandidateLimits = CandidateLimits()
    """How many photos are read to fill a page."""
    narrowing: NarrowingLimits = NarrowingLimits()
    """Which predictions narrow a search that asks for it."""
    feature_deadline_seconds: float = Field(default=0.1, gt=0)
    """How long an answer waits for its features before it goes without them."""
    stock: StockLimits = StockLimits()
    """How it is known whether products are in stock."""
    model_seconds: float = Field(default=2.0, gt=0)
    """How long the model may take over one photo that somebody waits for."""
    index_seconds: float = Field(default=2.0, gt=0)
    """How long one read of the index may take that somebody waits for."""
    breaker: BreakerSettings = BreakerSettings()
    """When a part that keeps failing is not asked for a while."""


class SearchEngine:
    """Answers searches from the parts of ONE release; made anew for every release, so none can be mixed.

    Raises ReleaseMismatch when the embedder or the collection belongs to another model or release than
    `release` says: when it is made, and again before every answer. `search` may be called from several threads.
    """

    def __init__(
        self,
        embedder: Embedder,
        index: SearchedIndex,
        features: FeatureLookup,
        release: Release,
        limits: SearchLimits | None = None,
        clock: Clock = time.perf_counter,
        updates: Callable[[], int] = lambda: 0,
        fusion: Fusion | None = None,
        spans: Spans | None = None,
    ) -> None:
        """`updates` says how many updates of the release are finished, `fusion` how it tells verticals; `spans` is
        told the stages of a search."""
        self.release = release
        self._updates = updates
        self._fusion = fusion
        self._spans = spans
        self._limits = limits = limits or SearchLimits()
        self._embedder = GuardedEmbedder(embedder, Guard("the model", Breaker(limits.breaker), limits.model_seconds))
        self._index = GuardedIndex(index, Guard("the index", Breaker(limits.breaker), limits.index_seconds))
        self._features = PunctualFeatures(features, limits.feature_deadline_seconds, Breaker(limits.breaker))
        self._clock = clock
        self.collection()

    def collection(self) -> CollectionInfo:
        """The collection searched. Raises ReleaseMismatch unless it and the model are those of the release."""
        release, identity = self.release, self._embedder.identity
        identity.require(release.model_fingerprint, f"release {release.release_id[:12]}")
        info = self._index.describe(release.collection)
        identity.require(info.model_fingerprint, f"collection {info.name}")
        if info.release_id != release.release_id:
            raise ReleaseMismatch(
                f"collection {info.name} belongs to release {info.release_id[:12]}, "
                f"the release in service is {release.release_id[:12]}"
            )
        return info

    def search(self, request: SearchRequest, deadline: Deadline | None = None) -> SearchAnswer:
        """Answer one request, or stop before the first step that the deadline does not reach.

        Raises NotFound for an unknown product, QueryError for an unknown filter, for what the collection does not
        store, and for a cursor of another release or query or of answers that have changed; ImageError for a photo
        that cannot be decoded, ReleaseMismatch and BackendUnavailable as the parts do, DeadlineExceeded. Features that
        are late are left out.
        """
        with (deadline or Deadline.current()).in_force():  # the parts stop at it
            return self._search(request)

    def product(self, product_id: str) -> ProductAnswer:
        """What the release knows of a product. Raises NotFound, ReleaseMismatch and BackendUnavailable."""
        watch = Stopwatch(self._clock, self._spans)
        with watch.stage("release"):
            self.collection()
            update = self._updates()
        with watch.stage("search"):
            photos = known_photos(self._index.photos(self.release.collection, product_id), product_id)
        with watch.stage("features"):
            features = self._features.features([product_id]).get(product_id)
        return product_answer(self.release, product_id, photos, features, update, watch.timings_ms())

    def holds(self, photo_id: str) -> bool:
        """Whether the photo is one of those searched. Raises BackendUnavailable."""
        product_id = photo_id.rpartition("/")[0]
        stored = self._index.photos(self.release.collection, product_id) if product_id else []
        return any(photo.photo_id == photo_id for photo in stored)

    def degraded(self) -> tuple[str, ...]:
        """Parts that failed lately and have not answered since."""
        guards = (self._embedder.guard, self._index.guard, self._features.guard)
        return tuple(guard.part for guard in guards if guard.breaker.state != "closed")

    @property
    def provider(self) -> str | None:
        """onnxruntime's execution provider that computes the model, where it computes in this process."""
        return self._embedder.provider

    @property
    def model_breaker(self) -> Breaker:
        """For whoever heals the model and knows first that it is well."""
        return self._embedder.guard.breaker

    def _search(self, request: SearchRequest) -> SearchAnswer:
        watch = Stopwatch(self._clock, self._spans)
        with watch.stage("release"):
            info, update = self.collection(), self._updates()  # what is finished now, the search will see
        if request.category == "auto":
            request = request.model_copy(update={"category": settled_use("auto", self._fusion, info.fields)})
        after = bookmark_of(request, self.release.release_id)
        check_filters(request.filters, filterable(info.fields))
        check_group(request.group, info.fields)
        check_colours(request.colour_weight, info.fields)
        check_category(request.category, request.vertical, self._fusion, info.fields)
        query = self._query(request, info, watch)
        with watch.stage("search"):
            page, features = self._page(query, request, after)
        if features is None:
            with watch.stage("features"):
                features = self._features.features(list(dict.fromkeys(hit.product_id for hit in page.hits)))
        if request.stock == "first":
            page = page.reordered(in_stock_first(page.hits, features, self._limits.stock.feature))
        return replace(self._answer(request, query, page, after, features, watch), update=update)

    def _query(self, request: SearchRequest, info: CollectionInfo, watch: Stopwatch) -> Query:
        if request.photo is None:
            return self._product_query(request)
        query = self._photo_query(request.photo, request, watch)
        first = query.category.condition if query.category else None
        narrowed: tuple[OneOf, ...] = () if first is None or VERTICAL in fields_of(request.where) else (first,)
        if request.narrow:
            narrowed += believed(query.predicted, info.fields, request.where, self._limits.narrowing)
        return replace(query, narrowed=narrowed)

    def _photo_query(self, photo: bytes, request: SearchRequest, watch: Stopwatch) -> Query:
        identity = self._embedder.identity
        with watch.stage("decode"):
            pixels = identity.preprocessing.pixels(photo, self._limits.image, request.crop)[np.newaxis]  # (1, H, W, 3)
        with watch.stage("embed"):
            embeddings = self._embedder.embed(pixels)  # (1, D)
        values, confidence = predicted_attributes(
            {name: probabilities[0] for name, probabilities in embeddings.attributes.items()},
            identity.attribute_labels,
        )
        return Query(
            embeddings.vectors,
            {name: Prediction(values[name], confidence[name]) for name in values},
            colours=colour_histogram(pixels[0]) if request.colour_weight > 0 else None,
            category=self._category(request, embeddings, watch),
            sharpness=sharpness(pixels[0]),
        )

    def _category(self, request: SearchRequest, photo: Embeddings, watch: Stopwatch) -> CategoryTold | None:
        if request.category == "off" or self._fusion is None:
            return None
        with watch.stage("category"):
            neighbours = self._index.search(self.release.collection, photo.vectors, NEIGHBOURS)[0]
            return tell_category(request.category, self._fusion, self._embedder.identity, photo, neighbours)

    def _product_query(self, request: SearchRequest) -> Query:
        vectors = self._index.vectors(self.release.collection, str(request.product_id))  # (P, D)
        if len(vectors) == 0:
            raise NotFound(f"product {request.product_id!r} is not in the catalogue that is searched")
        return Query(vectors, {}, without=request.product_id)

    def _page(self, query: Query, request: SearchRequest, after: Bookmark) -> tuple[Page, Features | None]:
        """The page, and its features where they had to be known to choose its answers."""
        stock, candidates = self._limits.stock, self._limits.candidates

        def search(depth: int, where: Where) -> list[list[Hit]]:
            return self._index.search(self.release.collection, query.vectors, depth, where)

        if request.stock != "only":
            return read_page(search, query, request, after, candidates), None
        stocked = Stocked(self._features.features, stock, batch=2 * request.k)
        page = read_page(search, query, request, after, candidates, stocked, stock.most_products)
        return page, stocked.features

    def _answer(
        self,
        request: SearchRequest,
        query: Query,
        page: Page,
        after: Bookmark,
        features: Features,
        watch: Stopwatch,
    ) -> SearchAnswer:
        end = Bookmark(after.offset + page.passed, page.told)
        why = explain(page, query, request, after.offset)
        return SearchAnswer(
            release_id=self.release.release_id,
            model_fingerprint=self.release.model_fingerprint,
            hits=search_hits(page.hits, page.variants, why, query.predicted, features),
            next_cursor=cursor_at(end, self.release.release_id, request) if page.ahead else None,
            predicted=query.predicted,
            narrowing=narrowing(query.narrowed, page.hits) if request.narrow else None,
            category=query.category,
            stock=stock_told(request.stock, page.hits, page.passed, features, self._limits.stock.feature),
            timings_ms=watch.timings_ms(),
            observation=observe(request.photo, query, page, request) if request.photo and not after.offset else None,
        )
