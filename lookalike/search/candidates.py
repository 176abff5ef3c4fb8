"""From nearest photos to answers in order: read from the index only as far as somebody asks."""

from collections.abc import Callable, Iterable, Iterator

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.index.protocol import Hit

Search = Callable[[int], list[list[Hit]]]
"""Depth to the nearest photos of each of the Q query vectors, best first; fewer than depth means no more exist."""
Key = Callable[[Hit], str]
"""What two hits share when only the better one is an answer: the product, its design, or the photo itself."""


class CandidateLimits(StrictConfig):
    """How many photos are read to fill a page."""

    overfetch: int = Field(default=4, ge=2)
    """Photos read per wanted answer; a refetch reads as many times more."""
    deepest: int = Field(default=5_000, ge=100, le=10_000)
    """Most photos read for one answer; pages end there."""
    shortlist: int = Field(default=400, ge=1, le=10_000)
    """Nearest photos ranked by their colours too, where these count; those farther off follow as they are."""
    variants: int = Field(default=5, ge=0, le=50)
    """Most other products named per answer where products are folded."""
    fold_photos: int = Field(default=1_000, ge=1, le=10_000)
    """Most photos read to name the variants of a page."""


def ranked(search: Search, first: int, key: Key, without: str | None, limits: CandidateLimits) -> Iterator[Hit]:
    """The best hit of every key, best first, ties by photo id; `without` is a product to leave out.

    Reads `first` photos, then ever more, and every read tells all it is certain of again: see `distinct`. A hit
    comes out once nothing unread can stand before it, and what came out stays, even where an approximate index
    finds more by looking deeper. So the order does not depend on how much of it is taken, and its pages neither
    repeat nor skip an answer.
    """
    depth = min(first, limits.deepest)
    while True:
        found = search(depth)  # Q lists
        unread = min((place(hits[-1]) for hits in found if len(hits) >= depth), default=None)
        ended = unread is None or depth >= limits.deepest
        for hit in best_per_key((hit for hits in found for hit in hits if hit.product_id != without), key):
            if ended or unread is None or place(hit) <= unread:
                yield hit
        if ended:
            return
        depth = min(depth * limits.overfetch, limits.deepest)


def best_per_key(hits: Iterable[Hit], key: Key) -> list[Hit]:
    """The best hit of every key, best first, ties by photo id."""
    return list(distinct(sorted(hits, key=place), key))


def distinct(hits: Iterable[Hit], key: Key) -> Iterator[Hit]:
    """The first hit of every key."""
    told: set[str] = set()
    for hit in hits:
        if key(hit) not in told:
            told.add(key(hit))
            yield hit


def place(hit: Hit) -> tuple[float, str]:
    """What hits are sorted by, whichever index they come from."""
    return -hit.score, hit.photo_id
