"""Retrieval metrics, one value per query, so that slices and bootstrap intervals can be taken afterwards.

Q queries, K ranked products, N gallery products, A attributes. Attribute values are integer codes, -1
where unknown; a rank that holds no product (the gallery was too small) has all codes -1. A query that a
metric cannot judge, because its own attributes are unknown, is NaN and counted as skipped by the caller.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import EvaluationError

Codes = NDArray[np.int32]
Values = NDArray[np.float64]
Number = TypeVar("Number", bound=np.generic)

CHUNK = 512
"""Queries compared with the whole gallery at a time: 512 x 40,000 bytes is 20 MB."""


def shared_attributes(query: Codes, ranked: Codes) -> NDArray[np.bool_]:
    """(Q, A) against (Q, K, A): (Q, K, A), true where both are known and equal."""
    return (ranked == query[:, None, :]) & (query >= 0)[:, None, :]


def all_match(query: Codes, ranked: Codes) -> Values:
    """(Q, K): 1 where every one of the A attributes is equal, else 0; NaN rows for queries with an unknown one."""
    matches = shared_attributes(query, ranked).all(axis=2)  # (Q, K)
    judged = (query >= 0).all(axis=1, keepdims=True)  # (Q, 1)
    return np.where(judged, matches, np.nan)


def share_matched(query: Codes, ranked: Codes) -> Values:
    """(Q, K): share of the query's known attributes that are equal; NaN rows where none is known."""
    known = (query >= 0).sum(axis=1)[:, None]  # (Q, 1)
    return _share(shared_attributes(query, ranked).sum(axis=2), known)


def precision_at_k(matches: Values, k: int) -> Values:
    """(Q, K) matches to (Q,): share of matches among the first k ranks."""
    return _first(matches, k).mean(axis=1)


def hit_at_k(matches: Values, k: int) -> Values:
    """(Q, K) matches to (Q,): 1 where any of the first k ranks matches."""
    return _first(matches, k).max(axis=1)


def ndcg_at_k(gains: Values, ideal: Values, k: int) -> Values:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002, section 2.2, linear gain, log2).

    gains: (Q, K) of the ranking; ideal: (Q, >=k) best gains of the gallery, descending. Returns (Q,), NaN
    where the query cannot be judged or nothing in the gallery shares anything with it.
    """
    discount = 1 / np.log2(np.arange(2, k + 2))  # (k,)
    best = _first(ideal, k) @ discount
    ndcg: Values = np.full(len(gains), np.nan)
    np.divide(_first(gains, k) @ discount, best, out=ndcg, where=best > 0)  # NaN > 0 is false
    return ndcg


def ideal_gains(query: Codes, gallery: Codes, k: int, left_out: NDArray[np.int64], labels: NDArray[np.int64]) -> Values:
    """(Q, k): the k largest shares of matched attributes in the gallery, descending.

    query: (Q, A); gallery: (N, A); products whose label (N,) equals the query's `left_out` (Q,) do not count.
    A gallery of fewer than k products is filled up with 0.
    """
    best = np.zeros((len(query), k))
    for start in range(0, len(query), CHUNK):
        part = slice(start, start + CHUNK)
        counts = _shared_counts(query[part], gallery)  # (chunk, N)
        counts[labels[None, :] == left_out[part, None]] = 0
        top = min(k, counts.shape[1])
        best[part, :top] = -np.sort(np.partition(-counts, top - 1, axis=1)[:, :top], axis=1)
    known = (query >= 0).sum(axis=1)[:, None]  # (Q, 1)
    return _share(best, known)


def known_item_recall_at_k(own: NDArray[np.int64], products: NDArray[np.int64], k: int) -> Values:
    """(Q,) own product against (Q, K) ranked products: 1 where it is among the first k."""
    return (_first(products, k) == own[:, None]).any(axis=1).astype(np.float64)


def reciprocal_rank_at_k(own: NDArray[np.int64], products: NDArray[np.int64], k: int) -> Values:
    """(Q,): 1/rank of the own product, 0 where it is not among the first k; the mean is MRR@k."""
    found = _first(products, k) == own[:, None]  # (Q, k)
    return np.where(found.any(axis=1), 1 / (found.argmax(axis=1) + 1), 0.0)


def _share(counts: NDArray, known: NDArray[np.int64]) -> Values:
    """(Q, K) counts over (Q, 1) known attributes, NaN rows where none is known."""
    shares: Values = np.full(counts.shape, np.nan)
    np.divide(counts, known, out=shares, where=known > 0)
    return shares


def _shared_counts(query: Codes, gallery: Codes) -> NDArray[np.int8]:
    """(q, A) against (N, A): (q, N) number of attributes known and equal, attribute by attribute to save memory."""
    counts = np.zeros((len(query), len(gallery)), dtype=np.int8)
    for attribute in range(query.shape[1]):
        wanted = query[:, attribute, None]
        counts += (gallery[None, :, attribute] == wanted) & (wanted >= 0)
    return counts


def _first(ranked: NDArray[Number], k: int) -> NDArray[Number]:
    if not 1 <= k <= ranked.shape[1]:
        raise EvaluationError(f"k is {k}; the ranking holds {ranked.shape[1]} places, so 1 to that is accepted")
    return ranked[:, :k]
