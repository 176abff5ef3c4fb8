"""Candidates worth a look for every product of a catalogue too large to compare every pair.

A pair at a high level shares several attribute values, so it meets in a group of products alike in some of them.
Each group proposes one of its members to every other one. Proposals are guesses only: whoever draws from them
compares the pair, and corrects for how likely it was to be proposed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lookalike.mining.labels import Labels

WITHIN = 24
"""Proposals from the anchor's vertical, whatever the attributes."""

ALIKE = 64
"""Proposals from groups alike in vertical and some attributes: at most this many choices of attributes."""

ANYWHERE = 8
"""Proposals from the whole catalogue."""

BITS = 62
"""Attributes that groups may be alike in, the first ones; a choice of them is one integer."""


@dataclass(frozen=True)
class Proposals:
    """P candidates for each of M anchors: from the vertical, from K - 1 groups of it, and from anywhere."""

    anchors: NDArray[np.int64]
    """(M,) product positions."""
    candidates: NDArray[np.int64]
    """(M, P) product positions; -1 where an anchor is alone in its group or lacks an attribute of it."""
    keys: NDArray[np.int64]
    """(K,) the attributes a group is alike in, as bits; 0 is the vertical alone."""
    chances: NDArray[np.float32]
    """(M, K) how often each other member of the group was to be expected; 0 where there is none."""

    def take(self, rows: slice) -> "Proposals":
        """The proposals to some of the anchors."""
        return Proposals(self.anchors[rows], self.candidates[rows], self.keys, self.chances[rows])


def propose(products: Labels, anchors: NDArray[np.int64], rng: Generator) -> Proposals:
    """Candidates for the `anchors` (M,), which are all the products of one or more verticals."""
    ours = products.take(anchors)
    keys = np.concatenate([np.zeros(1, np.int64), _choose_keys(ours.codes, rng)])
    chances = np.empty((len(anchors), len(keys)), np.float32)
    candidates, hashes = [], _hash_values(ours)
    for column, key in enumerate(keys.tolist()):
        attributes = [attribute for attribute in range(min(ours.codes.shape[1], BITS)) if key >> attribute & 1]
        members = np.flatnonzero((ours.codes[:, attributes] >= 0).all(axis=1))
        alike = np.bitwise_xor.reduce(hashes[members][:, [0, *(1 + a for a in attributes)]], axis=1)
        drawn, chances[:, column] = _propose_alike(anchors, members, alike, 1 if key else WITHIN, rng)
        candidates.append(drawn)
    anywhere = rng.integers(0, len(products) - 1, (len(anchors), ANYWHERE))
    candidates.append(anywhere + (anywhere >= anchors[:, None]))  # step over the anchor
    return Proposals(anchors, np.concatenate(candidates, axis=1), keys, chances)


def _choose_keys(codes: NDArray[np.int32], rng: Generator) -> NDArray[np.int64]:
    """Up to ALIKE choices of attributes, each known together in some product; those often known come more often.

    All single attributes, then random parts of what random products have.
    """
    codes = codes[:, :BITS]
    bits = 1 << np.arange(codes.shape[1], dtype=np.int64)
    keys = dict.fromkeys(bits[(codes >= 0).any(axis=0)].tolist())
    for row in rng.integers(0, len(codes), 8 * ALIKE).tolist():
        known = bits[codes[row] >= 0]
        if len(keys) >= ALIKE:
            break
        if len(known):
            keys[int(rng.permutation(known)[: rng.integers(1, len(known) + 1)].sum())] = None
    return np.array(list(keys)[:ALIKE], np.int64)


def _hash_values(products: Labels) -> NDArray[np.uint64]:
    """(M, 1 + A) a random number per vertical and per attribute value; a group's is the XOR of its members'.

    Zobrist hashing. Two groups that fall together by chance cost a poor proposal, never a wrong level.
    """
    table = np.random.default_rng(0)
    columns = [products.verticals, *products.codes.T]
    return np.stack(
        [table.integers(0, 2**64, int(column.max()) + 2, np.uint64)[column + 1] for column in columns], axis=1
    )


def _propose_alike(
    anchors: NDArray[np.int64], members: NDArray[np.int64], alike: NDArray[np.uint64], times: int, rng: Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each of M anchors `times` other members with the same hash, or -1, and how often to expect any of them.

    `members` are places among the anchors, `alike` their hashes.
    """
    by_group = np.argsort(alike, kind="stable")
    order, alike = members[by_group], alike[by_group]
    starts = np.flatnonzero(np.concatenate([[True], alike[1:] != alike[:-1]]))
    sizes = np.diff(starts, append=len(alike))
    start, others = np.repeat(starts, sizes), np.repeat(sizes - 1, sizes)
    place = np.arange(len(order)) - start
    drawn = (rng.random((times, len(order))) * others).astype(np.int64)
    drawn += drawn >= place  # step over the anchor
    candidates, chances = np.full((len(anchors), times), -1, np.int64), np.zeros(len(anchors), np.float32)
    several = others > 0
    candidates[order[several]] = anchors[order[(start + drawn)[:, several].T]]
    chances[order[several]] = times / others[several]
    return candidates, chances
