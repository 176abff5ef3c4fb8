"""The guard against poisoned catalogues: do a delivery's new products look like products of this shop?

Whoever can deliver products can teach the next model. Two things give a flood away to the model in service: new
products that are copies of one another or of known ones, and values that contradict what the photo shows. Both happen
honestly too, so they are compared with how often they do among the products the model was trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lookalike.config import StrictConfig


class SuspicionSettings(StrictConfig):
    """When a delivery's new products are suspicious."""

    copy_similarity: float = Field(default=0.985, gt=0, le=1)
    """Cosine from which two products' photos are taken for copies."""
    copies: int = Field(default=3, ge=1)
    """Copies a product must have to count as one of a flood; a pair of listings is common."""
    sure: float = Field(default=0.9, gt=0, le=1)
    """Probability from which the model's own value is held against the claimed one."""
    impossible: float = Field(default=0.01, ge=0, lt=1)
    """Probability up to which the claimed value counts as contradicted."""
    times: float = Field(default=2.0, ge=1)
    """How many times as often as among known products either may happen."""
    allowance: float = Field(default=0.02, ge=0, le=1)
    """Share of the new products to which it may happen beyond that."""
    fewest: int = Field(default=30, ge=1)
    """New products below which nothing is judged."""
    most: int = Field(default=2_000, ge=1)
    """New products that are looked at, and as many known ones, drawn by the seed; each costs the model a photo."""


@dataclass(frozen=True)
class Looks:
    """What the model in service says of N products."""

    vectors: NDArray[np.float32]
    """(N, D), unit length."""
    probabilities: Mapping[str, NDArray[np.float32]]
    """Per attribute (N, C)."""
    claimed: Mapping[str, NDArray[np.int64]]
    """Per attribute (N,): place of the delivered value among the C, -1 where unknown or not among them."""


@dataclass(frozen=True)
class Suspicion:
    """What is wrong with new products."""

    copied: NDArray[np.bool_]
    """(N,) those with many copies."""
    contradicted: NDArray[np.bool_]
    """(N,) those with a value that their photo contradicts."""
    alarms: tuple[str, ...]
    """A sentence for each that happens too often."""


def suspect(new: Looks, known: Looks, settings: SuspicionSettings) -> Suspicion:
    """Compare N new products with known ones, best as many."""
    everything = np.concatenate([new.vectors, known.vectors])
    copied = copies(new.vectors, everything, settings) >= settings.copies
    usual_copied = copies(known.vectors, known.vectors, settings) >= settings.copies
    contradicted, usual_contradicted = (contradictions(looks, settings) for looks in (new, known))
    judged = (
        ("copies of one another or of known products", copied, usual_copied),
        ("described by values that their photos contradict", contradicted, usual_contradicted),
    )
    alarms = [_alarm(words, here, usual, settings) for words, here, usual in judged]
    return Suspicion(copied, contradicted, tuple(alarm for alarm in alarms if alarm))


def copies(vectors: NDArray[np.float32], among: NDArray[np.float32], settings: SuspicionSettings) -> NDArray[np.int64]:
    """(N,) how many others of `among`, which holds the vectors too, are copies of each; counted up to `copies`."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(among))
    similarity, _ = index.search(np.ascontiguousarray(vectors), min(settings.copies + 1, len(among)))
    return np.asarray((similarity >= settings.copy_similarity).sum(axis=1) - 1, np.int64)


def contradictions(looks: Looks, settings: SuspicionSettings) -> NDArray[np.bool_]:
    """(N,) whether for any attribute the model is sure of another value and rules the claimed one out."""
    found = np.zeros(len(looks.vectors), bool)
    for name, probabilities in looks.probabilities.items():
        claimed = looks.claimed[name]
        given = probabilities[np.arange(len(claimed)), np.maximum(claimed, 0)]
        sure = probabilities.max(axis=1) >= settings.sure
        found |= (claimed >= 0) & sure & (given <= settings.impossible)
    return found


def _alarm(words: str, here: NDArray[np.bool_], usual: NDArray[np.bool_], settings: SuspicionSettings) -> str | None:
    if len(here) < settings.fewest or here.mean() <= settings.times * usual.mean() + settings.allowance:
        return None
    return (
        f"the delivery looks poisoned: {here.mean():.1%} of its {len(here)} new products are {words}, of known ones "
        f"{usual.mean():.1%}; a person must look before what learned from it is promoted"
    )
