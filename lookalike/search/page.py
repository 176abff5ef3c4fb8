"""One page of a query's answers, read from the index no deeper than it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.index.predicates import OneOf, Where
from lookalike.index.protocol import Hit
from lookalike.search.answer import Prediction
from lookalike.search.candidates import CandidateLimits, distinct, ranked
from lookalike.search.grouping import fold_filter, group_key, variants_of
from lookalike.search.narrowing import relaxations
from lookalike.search.query import SearchRequest


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


@dataclass(frozen=True)
class Page:
    """The answers of one page."""

    hits: list[Hit]
    variants: list[tuple[str, ...] | None]
    """Per hit other products of its fold."""
    ahead: list[Hit]
    """The first answer of the next page; empty where this is the last."""


def read_page(search: IndexSearch, query: Query, request: SearchRequest, offset: int, limits: CandidateLimits) -> Page:
    """The k answers after `offset` earlier ones."""
    key, filters, first = group_key(request.group), request.filters, (request.k + 1) * limits.overfetch
    tiers = (
        ranked(partial(search, where=(*filters, *kept)), first, key, query.without, limits)
        for kept in relaxations(query.narrowed)
    )
    order = distinct(chain.from_iterable(tiers), key)
    hits = list(islice(order, offset, offset + request.k + 1))
    page, ahead = hits[: request.k], hits[request.k :]
    fold = fold_filter(page, request.group)
    mates = search(limits.fold_photos, (*filters, *fold)) if fold else []
    variants = variants_of(page, request.group, [hit for hits in mates for hit in hits], query.without, limits.variants)
    return Page(page, variants, ahead)
