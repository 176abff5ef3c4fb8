"""Nearest photos in a new order, by appearance and colour together (SK Planet, arXiv 1609.07859).

Only the photos given compete: an order for the top of a list, not another way to search.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.colours import intersection
from lookalike.errors import QueryError
from lookalike.index.protocol import Hit
from lookalike.index.ranking import round_scores
from lookalike.search.candidates import place


def rerank_by_colour(
    hits: Sequence[Hit], query: NDArray[np.float32], histograms: NDArray[np.float32], weight: float
) -> list[Hit]:
    """Hits by (1 - weight) * cosine + weight * histogram intersection, best first, ties by photo id.

    `query` is the (BINS,) histogram asked for, `histograms` the (N, BINS) ones of the hits' photos. Scores become
    the weighted ones; weight 0 keeps scores and order. Raises QueryError for a weight outside [0, 1].
    """
    if not 0 <= weight <= 1:
        raise QueryError(f"the colour weight is {weight}; 0 to 1 is accepted")
    cosines = np.array([hit.score for hit in hits], dtype=np.float32)  # (N,)
    scores = round_scores((1 - weight) * cosines + weight * intersection(query, histograms))
    scored = zip(hits, scores, strict=True)
    return sorted((Hit(hit.photo_id, hit.product_id, float(score), hit.fields) for hit, score in scored), key=place)
