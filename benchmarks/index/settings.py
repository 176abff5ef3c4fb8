"""What the study measures, and how much of it."""

from pydantic import Field

from lookalike.config import StrictConfig


class Study(StrictConfig):
    """The same for every step; `--quick` has its own."""

    dimension: int = Field(default=128, ge=2)
    """D searched; longer embeddings are projected onto their first D principal axes."""
    queries: int = Field(default=2_000, ge=1)
    """Real photos held back from every collection, and never grown from."""
    judged: int = Field(default=500, ge=1)
    """Of them, those asked where recall without a filter is measured."""
    timed: int = Field(default=100, ge=1)
    """Of them, those asked one by one for latencies, and under filters."""
    grown: tuple[int, ...] = (200_000, 1_000_000)
    """Sizes of the grown collections, beside the real one."""
    largest_kinds: tuple[str, ...] = ("hnsw", "ivf_pq", "binary")
    """Structures measured over the largest collection; over the real one, all three."""
    batch: int = Field(default=100, ge=1)
    """Queries per call where throughput is measured."""
    rounds: int = Field(default=9, ge=3)
    """Turns that two ways to search take, side by side."""
    fresh_products: int = Field(default=100_000, ge=1)
    """Products in the collection that freshness is measured in."""
    fresh_writes: int = Field(default=300, ge=10)
    """Products stored one by one there."""
    k: int = Field(default=10, ge=1)
    """Neighbours asked for."""
    seed: int = 0
    """Which photos are held back, how vectors are grown, and every draw after that."""


QUICK = Study(
    dimension=16,
    queries=40,
    judged=40,
    timed=20,
    grown=(2_000, 4_000),
    batch=20,
    rounds=3,
    fresh_products=1_000,
    fresh_writes=10,
)
"""Does every part of the study still work?"""
