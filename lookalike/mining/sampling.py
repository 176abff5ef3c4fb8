"""Triplets of a catalogue too large to compare every pair: levels are exact, candidates are sampled."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lookalike.mining.buckets import Anchors
from lookalike.mining.labels import Labels
from lookalike.mining.levels import UNDEFINED, levels_between
from lookalike.mining.proposals import ANYWHERE, BITS, Proposals, propose
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import MinedTriplets, Triplets, draw_triplets, join_triplets, near_duplicates
from lookalike.progress import progress

BLOCK = 100_000
"""Products proposed to at once; a vertical is never cut, a larger one is a block of its own."""

CHUNK = 4096
"""Anchors compared with their candidates at once; about 50 MB."""


def sample_levels(
    products: Labels, duplicates: NDArray[np.int64], settings: MiningSettings, workers: int
) -> MinedTriplets:
    """Draw triplets among N products in time and memory linear in N, vertical by vertical.

    Every level is computed for the pair drawn. A level that none of an anchor's candidates reaches is not drawn
    for it although the catalogue may have it; `pairs_per_level` is estimated from candidates drawn anywhere.
    `workers` threads share the work; every chunk has a seed of its own, so their number changes nothing.
    """
    parts, seen = [], np.zeros(settings.level_count + 1, np.int64)
    with ThreadPoolExecutor(workers) as pool:
        for block, anchors in enumerate(progress(list(_blocks(products.verticals)), "mine")):
            proposals = propose(products, anchors, np.random.default_rng([settings.seed, block]))
            draw = partial(_draw, products, proposals, duplicates, settings, (settings.seed, block))
            for part, levels in pool.map(draw, range(0, len(anchors), CHUNK)):
                parts.append(part)
                seen += levels
    pairs = len(products) * (len(products) - 1)
    return MinedTriplets(join_triplets(parts), np.rint(seen / seen.sum() * pairs).astype(np.int64), exact=False)


def _blocks(verticals: NDArray[np.int32]) -> Iterator[NDArray[np.int64]]:
    """Products by vertical, whole verticals together up to BLOCK products."""
    order = np.argsort(verticals, kind="stable")
    ends = np.flatnonzero(np.diff(verticals[order], append=np.iinfo(np.int32).max)) + 1
    first = 0
    while first < len(order):
        fitting = ends[(ends > first) & (ends <= first + BLOCK)]
        end = int(fitting[-1] if len(fitting) else ends[ends > first][0])
        yield order[first:end]
        first = end


def _draw(
    products: Labels,
    block: Proposals,
    duplicates: NDArray[np.int64],
    settings: MiningSettings,
    seed: tuple[int, int],
    first: int,
) -> tuple[Triplets, NDArray[np.int64]]:
    """Triplets of a chunk of anchors, and how many candidates drawn anywhere are at each level, UNDEFINED last."""
    proposals, rng = block.take(slice(first, first + CHUNK)), np.random.default_rng([*seed, first])
    anchors, candidates = proposals.anchors, proposals.candidates
    ours, theirs = products.take(anchors[:, None]), products.take(candidates)
    levels = levels_between(ours, theirs, settings)  # (M, P)
    places = settings.level_count + 1
    anywhere = np.bincount((levels[:, -ANYWHERE:] % places).ravel(), minlength=places)
    levels[(candidates < 0) | near_duplicates(duplicates, anchors[:, None], candidates)] = UNDEFINED
    expected = _expected(ours, theirs, proposals) + ANYWHERE / (len(products) - 1)
    buckets = SampledBuckets(candidates, levels, 1 / expected, settings.level_count)
    asked = Anchors(anchors, np.arange(len(anchors)), np.zeros_like(anchors))
    return draw_triplets(asked, buckets, duplicates, rng, settings, settings.triplets_per_anchor), anywhere


def _expected(ours: Labels, theirs: Labels, proposals: Proposals) -> NDArray[np.float64]:
    """(M, P) how many times a candidate was to be expected among its anchor's proposals by the groups.

    A candidate that shares much with the anchor is in many of its groups; drawn with weights inverse to this
    number, a level's candidates come up alike (importance resampling, Rubin 1987).
    """
    shared = np.zeros(proposals.candidates.shape, np.int64)
    for attribute in range(min(ours.codes.shape[-1], BITS)):
        code = ours.codes[..., attribute]
        shared |= ((code >= 0) & (code == theirs.codes[..., attribute])).astype(np.int64) << attribute
    shared[ours.verticals != theirs.verticals] = -1  # in none of the groups
    kinds, kind = np.unique(shared, return_inverse=True)
    member = (kinds[:, None] >= 0) & (kinds[:, None] & proposals.keys == proposals.keys)  # (kinds, K)
    by_kind = proposals.chances @ member.T.astype(np.float32)  # (M, kinds)
    return np.take_along_axis(by_kind, kind.reshape(shared.shape), axis=1).astype(np.float64)


class SampledBuckets:
    """The candidates proposed to M anchors, by level; draws follow the candidates' weights.

    Like CandidateBuckets it keeps the running weight along the flattened (M, P) and draws by binary search.
    """

    def __init__(
        self,
        candidates: NDArray[np.int64],
        levels: NDArray[np.int8],
        weights: NDArray[np.float64],
        level_count: int,
    ) -> None:
        self._candidates = candidates.ravel()
        at_level = [levels == level for level in range(level_count)]
        self._sizes = np.stack([at.sum(axis=1) for at in at_level], axis=1)  # (M, L)
        self._running = np.stack([np.cumsum(np.where(at, weights, 0)) for at in at_level])  # (L, M * P)
        width = candidates.shape[1]
        self._ends = self._running[:, width - 1 :: width]  # (L, M)
        self._begins = np.concatenate([np.zeros((level_count, 1)), self._ends[:, :-1]], axis=1)

    def sizes(self, anchors: Anchors) -> NDArray[np.int64]:
        return self._sizes[anchors.row]

    def draw(self, anchors: Anchors, level: NDArray[np.int8], rng: Generator) -> NDArray[np.int64]:
        begin, end = self._begins[level, anchors.row], self._ends[level, anchors.row]
        place = np.minimum(begin + rng.random(len(anchors)) * (end - begin), np.nextafter(end, 0))
        drawn = np.empty(len(anchors), np.int64)
        for wanted in np.unique(level):
            at = level == wanted
            drawn[at] = self._candidates[np.searchsorted(self._running[wanted], place[at], side="right")]
        return drawn
