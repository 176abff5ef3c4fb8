"""Nearest photos in a new order: by appearance and colour together (SK Planet, arXiv 1609.07859), and by vertical.

Only the photos given compete: an order for the top of a list, not another way to search.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.colours import intersection, read_histograms
from lookalike.catalog.group_fields import COLOURS
from lookalike.errors import QueryError
from lookalike.index.protocol import Hit
from lookalike.index.ranking import round_scores
from lookalike.search.category import VERTICAL


def check_colours(weight: float, fields: Collection[str]) -> None:
    """Raise QueryError where colours are to count and the collection does not know those of its photos."""
    if weight and COLOURS not in fields:
        raise QueryError(
            f"colour_weight is {weight}, but this collection stores no {COLOURS}; index the catalogue again"
        )


def rerank(
    hits: Sequence[Hit], colours: NDArray[np.float32] | None, weight: float, boosts: Mapping[str, float]
) -> list[Hit]:
    """Hits by (1 - weight) * cosine + weight * histogram intersection + their vertical's boost, best first, ties by
    photo id.

    `colours` is the (BINS,) histogram asked for; that of a hit is among its fields, and one without has nothing in
    common. Scores stay cosines. Raises QueryError for a weight outside [0, 1].
    """
    if not 0 <= weight <= 1:
        raise QueryError(f"colour_weight is {weight}; 0 to 1 is accepted")
    scores = np.array([hit.score for hit in hits], dtype=np.float32)  # (N,)
    if colours is not None:
        histograms = read_histograms([hit.fields[COLOURS] for hit in hits])  # (N, BINS)
        scores = (1 - weight) * scores + weight * intersection(colours, histograms)
    if boosts:
        scores += np.array([boosts.get(hit.fields[VERTICAL] or "", 0.0) for hit in hits], dtype=np.float32)
    ranked = round_scores(scores)
    order = sorted(range(len(hits)), key=lambda row: (-ranked[row], hits[row].photo_id))
    return [hits[row] for row in order]
