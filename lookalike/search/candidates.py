"""From nearest photos to the answers of a page: enough photos that grouping per product still fills it."""

from collections.abc import Callable, Sequence

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.index.protocol import Hit

Search = Callable[[int], list[list[Hit]]]
"""Depth to the nearest photos of each of the Q query vectors, best first; fewer than depth means no more exist."""
Key = Callable[[Hit], str]
"""What two hits share when only the better one is an answer: the product, or the photo itself."""


class CandidateLimits(StrictConfig):
    """How many photos are read to fill a page."""

    overfetch: int = Field(default=4, ge=2)
    """Photos read per wanted answer; a refetch reads as many times more."""
    deepest: int = Field(default=5_000, ge=100, le=10_000)
    """Most photos read for one answer; a page may stay short beyond it."""


def fill_page(search: Search, k: int, key: Key, without: str | None, limits: CandidateLimits) -> list[Hit]:
    """The k best hits with different keys, best first, ties by photo id; `without` is a product to leave out.

    Reads deeper until the page is certain: until k keys score at least as high as anything not yet read.
    """
    depth = min(k * limits.overfetch, limits.deepest)
    while True:
        found = search(depth)  # Q lists
        best = best_per_key([hit for hits in found for hit in hits if hit.product_id != without], key)
        unread = max((hits[-1].score for hits in found if len(hits) >= depth), default=float("-inf"))
        certain = sum(hit.score >= unread for hit in best)
        if certain >= k or unread == float("-inf") or depth >= limits.deepest:
            return best[:k]
        depth = min(depth * limits.overfetch, limits.deepest)


def best_per_key(hits: Sequence[Hit], key: Key) -> list[Hit]:
    """The best hit of every key, best first, ties by photo id."""
    best: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (-hit.score, hit.photo_id)):
        best.setdefault(key(hit), hit)
    return list(best.values())
