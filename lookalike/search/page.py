"""One page of a query's answers, read from the index no deeper than it needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from lookalike.search.query import SearchRequest
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


@dataclass(frozen=True)
class Page:
    """The answers of one page."""

    hits: list[Hit]
    variants: list[tuple[str, ...] | None]
    """Per hit other products of its fold."""
    ahead: list[Hit]
    """The first answer of the next page; empty where this is the last."""
    told: str
    """Digest of the answers up to the end of this page."""


def read_page(
    search: IndexSearch, query: Query, request: SearchRequest, after: Bookmark, limits: CandidateLimits
) -> Page:
    """The k answers after those of earlier pages. Raises QueryError where these have changed since."""
    key, filters = group_key(request.group), request.where
    tiers = (
        _tier(partial(search, where=(*filters, *kept)), query, request, key, limits)
        for kept in relaxations(query.narrowed)
    )
    order = distinct(chain.from_iterable(tiers), key)
    told = [key(hit) for hit in islice(order, after.offset)]
    after.require(told)
    hits = list(islice(order, request.k + 1))
    page, ahead = hits[: request.k], hits[request.k :]
    fold = fold_filter(page, request.group)
    mates = search(limits.fold_photos, (*filters, *fold)) if fold else []
    variants = variants_of(page, request.group, [hit for hits in mates for hit in hits], query.without, limits.variants)
    return Page(page, variants, ahead, digest_told([*told, *map(key, page)]))


def _tier(search: Search, query: Query, request: SearchRequest, key: Key, limits: CandidateLimits) -> Iterator[Hit]:
    """Answers in order, some of them twice; how many are the shortlist does not depend on the page that is read."""
    boosts = query.category.boosts if query.category else {}
    if query.colours is not None or boosts:
        for nearest in search(limits.shortlist):  # a photo is one query vector
            yield from rerank(nearest, query.colours, request.colour_weight, boosts)
    yield from ranked(search, (request.k + 1) * limits.overfetch, key, query.without, limits)
