"""The planted challengers: ten that are worse than the champion and ten that are better, each by something else."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.gate_changes import broken, collapsed, narrowed, noise, signs, stale, told
from benchmarks.drift.gate_shop import GateShop, Model, Repeated
from lookalike.evaluation.cost import Served
from lookalike.evaluation.leakage import Leak

SMALL = "Personal Care"
"""The smallest vertical with enough queries to decide anything."""
LARGE = "Footwear"
NONE: tuple[Leak, ...] = ()


@dataclass(frozen=True)
class Case:
    """One comparison."""

    name: str
    challenger: Model
    champion: Model
    challenger_served: Served
    champion_served: Served
    trained: NDArray[np.str_] | None = None
    """Products of the evaluated split that the challenger was trained on too; None for none."""


@dataclass(frozen=True)
class Models:
    """The real models that the cases are made of."""

    trained: Model
    short: Model
    """The same recipe after one epoch."""
    frozen: Model
    """The encoder before training."""
    swapped: Model
    """The trained one with wrong preprocessing."""
    served: Served
    """The trained one as exported."""


def worse(shop: GateShop, models: Models, seed: int) -> list[Case]:
    """Ten challengers that must be refused."""
    good, served = models.trained, models.served
    known = good.embedded.gallery.vectors
    noisy = shop.changed(good, noise(0.7, seed))
    leaked = shop.ids()[np.random.default_rng(seed).permutation(len(shop.ids()))[:20]].to_numpy(str)

    def case(name: str, challenger: Model, champion: Model = good) -> Case:
        return Case(name, challenger, champion, served, served)

    return [
        case("noise in the vectors", shop.changed(good, noise(0.5, seed))),
        case("one vertical broken, the others better", shop.changed(good, broken(shop, SMALL, seed)), noisy),
        case("one epoch instead of fourteen", models.short),
        replace(case("trained on the evaluation set", shop.changed(good, told(shop, 0.3))), trained=leaked),
        replace(case("twice as slow", good), challenger_served=replace(served, embedder=Repeated(served.embedder))),
        replace(case("twice as large", good), challenger_served=replace(served, size=2 * served.size)),
        case("a head's outputs exchanged", shop.with_heads(good, lambda values: np.roll(values, 1, axis=1))),
        case("collapsed embedding", shop.changed(good, collapsed(known, 0.05))),
        case("red and blue exchanged", models.swapped),
        case("never saw one vertical", shop.changed(good, stale(shop, known, LARGE, 8))),
    ]


def better(shop: GateShop, models: Models, seed: int) -> list[Case]:
    """Ten challengers that must be promoted: the trained model against what is worse than it."""
    good, served = models.trained, models.served
    known = good.embedded.gallery.vectors

    def case(name: str, champion: Model) -> Case:
        return Case(name, good, champion, served, served)

    return [
        *(case(f"champion with noise of {size:g}", shop.changed(good, noise(size, seed))) for size in (0.3, 0.5, 1.0)),
        case("champion of one epoch", models.short),
        case("champion never trained", models.frozen),
        case("champion of 16 dimensions", shop.changed(good, narrowed(known, 16))),
        case("champion of one bit a value", shop.changed(good, signs())),
        case("champion with one vertical broken", shop.changed(good, broken(shop, SMALL, seed))),
        case("champion that never saw one vertical", shop.changed(good, stale(shop, known, LARGE, 8))),
        case("champion with red and blue exchanged", models.swapped),
    ]
