"""One page of a query's answers, read from the index no deeper than it needs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.index.predicates import OneOf, Where
from lookalike.index.protocol import Hit
from lookalike.search.answer import Prediction
from lookalike.search.candidates import CandidateLimits, Key, Search, distinct, ranked
from lookalike.search.category import CategoryTold
from lookalike.search.cursor import Bookmark, digest_told
from lookalike.search.grouping import fold_filter, group_key, variants_of
from lookalike.search.narrowing import relaxations
from lookalike.search.query import MOST_ANSWERS, SearchRequest
from lookalike.search.reranking import rerank


class IndexSearch(Protocol):
    """The collection that is searched, with the query's Q vectors."""

    def __call__(self, depth: int, where: Where) -> list[list[Hit]]:
        """The nearest photos of each vector that pass the filter."""
        ...


@dataclass(frozen=True)
class Query:
    """What is searched for, whether it came as a photo or as a product."""

    vectors: NDArray[np.float32]  # (Q, D)
    predicted: Mapping[str, Prediction]
    without: str | None = None
    """The product asked about, which is no answer."""
    narrowed: tuple[OneOf, ...] = ()
    """Conditions its predicted attributes set, the most certain first."""
    colours: NDArray[np.float32] | None = None
    """(BINS,) histogram of its photo, where colours count."""
    category: CategoryTold | None = None
    """What its photo's vertical is believed to be, where that counts."""
    sharpness: float | None = None
    """Of its photo, as the model sees it."""


@dataclass(frozen=True)
class Page:
    """The answers of one page."""

    hits: list[Hit]
    variants: list[tuple[str, ...] | None]
    """Per hit other products of its fold."""
    ahead: list[Hit]
    """The first answer of the next page; empty where this is the last."""
    passed: int
    """Answers in the order that this page covers: its own and those it left out."""
    told: str
    """Digest of the answers up to the end of this page."""

    def reordered(self, places: Sequence[int]) -> "Page":
        """The same answers, by the place each has here."""
        return replace(self, hits=[self.hits[i] for i in places], variants=[self.variants[i] for i in places])


Choice = Callable[[Iterator[Hit]], Iterator[tuple[Hit, bool]]]
"""Every answer of an order with whether it is to be shown."""


def everything(order: Iterator[Hit]) -> Iterator[tuple[Hit, bool]]:
    """Shows all answers."""
    return ((hit, True) for hit in order)


def read_page(
    search: IndexSearch,
    query: Query,
    request: SearchRequest,
    after: Bookmark,
    limits: CandidateLimits,
    choice: Choice = everything,
    most_passed: int = MOST_ANSWERS,
) -> Page:
    """The k answers after those of earlier pages, and fewer where `most_passed` hold no more that are to be shown.

    Pages are cut in the order of all answers: what is shown may change between two of them, and still none is
    repeated or skipped. Raises QueryError where the order of earlier pages has changed since.
    """
    key, filters = group_key(request.group), request.where
    tiers = (
        _tier(partial(search, where=(*filters, *kept)), query, request, key, limits)
        for kept in relaxations(query.narrowed)
    )
    order = distinct(chain.from_iterable(tiers), key)
    told = [key(hit) for hit in islice(order, after.offset)]
    after.require(told)
    chosen = choice(order)
    passed, page = _fill(chosen, request.k, most_passed)
    ahead = [hit for hit, _ in islice(chosen, 1)]
    fold = fold_filter(page, request.group)
    mates = search(limits.fold_photos, (*filters, *fold)) if fold else []
    variants = variants_of(page, request.group, [hit for hits in mates for hit in hits], query.without, limits.variants)
    return Page(page, variants, ahead, len(passed), digest_told([*told, *map(key, passed)]))


def _fill(chosen: Iterator[tuple[Hit, bool]], k: int, most_passed: int) -> tuple[list[Hit], list[Hit]]:
    """The answers passed on the way to k that are shown, and these."""
    passed: list[Hit] = []
    shown: list[Hit] = []
    for hit, show in islice(chosen, most_passed):
        passed.append(hit)
        if show:
            shown.append(hit)
        if len(shown) == k:
            break
    return passed, shown


def _tier(search: Search, query: Query, request: SearchRequest, key: Key, limits: CandidateLimits) -> Iterator[Hit]:
    """Answers in order, some of them twice; how many are the shortlist does not depend on the page that is read."""
    boosts = query.category.boosts if query.category else {}
    if query.colours is not None or boosts:
        for nearest in search(limits.shortlist):  # a photo is one query vector
            yield from rerank(nearest, query.colours, request.colour_weight, boosts)
    yield from ranked(search, (request.k + 1) * limits.overfetch, key, query.without, limits)
