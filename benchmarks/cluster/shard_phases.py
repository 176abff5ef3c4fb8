"""How far a sharded build has come, read off its files; and the moments at which it is killed, drawn beforehand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cluster.shard_life import FAISS, SETTINGS
from lookalike.index.faiss_folder import COLLECTION
from lookalike.index.faiss_structures import SEARCH
from lookalike.index.graph import GROWING
from lookalike.index.pieces import BATCHES
from lookalike.storage import SEAL, read_json
from lookalike.workspace import Workspace

EMBEDDING, JOINING, STORING, GRAPH, SEALING = "embedding", "joining", "storing", "building the graph", "sealing"
PHASES = (EMBEDDING, JOINING, STORING, GRAPH, SEALING)
SHARES = {EMBEDDING: 0.6, JOINING: 0.05, STORING: 0.05, GRAPH: 0.2, SEALING: 0.1}
"""Of the kills, about as of the time; the short phases get more than their share, for every phase is to be hit."""
LINKS = 144
"""Bytes of a vector's links on the disk."""
LATEST = {EMBEDDING: 6.0, JOINING: 15.0, STORING: 3.0, GRAPH: 12.0, SEALING: 20.0}
"""A kill comes up to so many seconds later than what was drawn: as long as a piece or step takes, so that it does not
wait for what was just kept; or longer, in phases that show no progress."""


@dataclass(frozen=True)
class Size:
    """What a build amounts to."""

    photos: int
    shards: int


@dataclass(frozen=True)
class Kill:
    """A moment: so far in a phase, and then so many seconds more."""

    phase: str
    share: float
    delay: float


def where(root: Path, size: Size) -> tuple[str, float]:
    """The phase that a build is in, and the share of it that is done, as far as files tell."""
    shards = Workspace(root).index.parent / "shards"
    finished = len(list(shards.glob(f"[!.]*/{SEAL}")))
    if finished < size.shards:
        pieces = len(list(shards.glob(".*.partial/[0-9]*")))
        return EMBEDDING, finished / size.shards + pieces * BATCHES * SETTINGS.batch / size.photos
    made = next((root / FAISS).glob(f"*/{COLLECTION}"), None)
    if made is None:
        return JOINING, 0.0
    if read_json(made)["segment"] is not None:
        return SEALING, 0.5
    if any(made.parent.glob(f"*segment-*/{SEARCH}")):
        return SEALING, 0.0
    if any(made.parent.glob(".segment-*.partial")):
        linked = sum(links.stat().st_size for links in made.parent.glob(f".segment-*.partial/{GROWING}"))
        return GRAPH, linked / LINKS / size.photos
    return STORING, len(list(made.parent.glob("part-*"))) * SETTINGS.rows / size.photos


def drawn_kills(count: int, random: np.random.Generator) -> list[Kill]:
    """So many moments in their order, every phase among them where there are as many."""
    each = {phase: max(1, int(share * count)) for phase, share in SHARES.items()}
    each[EMBEDDING] = max(1, count - sum(each.values()) + each[EMBEDDING])
    kills = [kill for phase, number in each.items() for kill in _drawn(phase, number, random)]
    return kills[:count]


def _drawn(phase: str, count: int, random: np.random.Generator) -> list[Kill]:
    seen = phase in (EMBEDDING, STORING, GRAPH)
    shares = np.sort(random.random(count)) if seen else np.arange(count) / 2  # of sealing two halves are told apart
    delays = random.uniform(0, LATEST[phase], count)
    return [Kill(phase, float(share), float(delay)) for share, delay in zip(shares, delays, strict=True)]


def reached(kill: Kill, phase: str, share: float) -> bool:
    """Whether a build has come as far as that, or farther."""
    at, now = PHASES.index(kill.phase), PHASES.index(phase)
    return now > at or (now == at and share >= kill.share)
