"""What answers are held against: the exact neighbours, and which products are alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import faiss as installed_faiss
import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.metrics import Codes, all_match, precision_at_k
from lookalike.index.proof import TIE
from lookalike.index.protocol import Hit
from lookalike.index.ranking import round_scores

faiss: Any = installed_faiss
FIRST = 4
"""Answers that count for precision: what a shopper sees first."""


@dataclass(frozen=True)
class FineLabels:
    """The attributes in which products must agree to be alike, as codes, -1 where unknown."""

    gallery: Codes
    """(N, A) of the vectors."""
    queries: Codes
    """(Q, A) of the queries."""


def kth_scores(vectors: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """(Q,) cosine of each query's exact k-th neighbour among the (N, D) vectors, every one of them compared."""
    scores, _ = faiss.knn(queries, vectors, min(k, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT)  # (Q, k)
    return round_scores(scores[:, -1])


def recalls(answers: Sequence[Sequence[Hit]], kth: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """(Q,) share of the exact k neighbours that were answered; one as close as the k-th counts, whichever it is."""
    found = [
        sum(hit.score >= least - TIE for hit in hits[:k]) for hits, least in zip(answers, kth.tolist(), strict=True)
    ]
    return np.array(found, dtype=np.float64) / k


def precision(rows: NDArray[np.int64], labels: FineLabels) -> float | None:
    """Share of the first 4 of the (Q, K) answered rows that agree with the query in all attributes.

    Queries with an unknown attribute are left out; None where all are, or where there are fewer than 4 answers.
    """
    judged = (labels.queries >= 0).all(axis=1)
    if rows.shape[1] < FIRST or not judged.any():
        return None
    matches = all_match(labels.queries[judged], labels.gallery[rows[judged]])  # (Q, K)
    return float(precision_at_k(matches, FIRST).mean())
