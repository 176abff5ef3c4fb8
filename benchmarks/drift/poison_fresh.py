"""Attacks on real training that no guard was developed against, written down before the first was run.

Each has something it wants: its products shown more often, one type of products answered worse, or all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.gate_traffic import LOOKED
from benchmarks.drift.poison_attacks import MANY
from benchmarks.drift.poison_traffic import Market, Visits, alike, any_time, honest, named_sessions, promotion

SHOWN_MORE, TYPE_WORSE, ALL_WORSE = "its products are shown more", "one type is answered worse", "all is answered worse"
RING = 20
"""Products that sellers push together."""
DRIP = 40
"""Answers that a patient attacker asks for in a month."""
WANTED, ELSE = 0.6, 0.02
"""Chance that the attacker clicks what it wants, and anything else, where it looks."""


@dataclass(frozen=True)
class Scene:
    """Whom an attack is about."""

    targets: NDArray[np.int64]
    """(RING,) products of the market that are to rise, the first one where an attack pushes only one."""
    victim: NDArray[np.bool_]
    """(N,) products of the market of the type that is to be answered worse."""
    count: int
    """Answers the attacker asks for."""


Clicks = Callable[[Market, Scene, np.random.Generator], list[Visits]]


@dataclass(frozen=True)
class Attack:
    """One attack; on the feedback where it has clicks, else on the catalogue."""

    name: str
    wants: str
    clicks: Clicks | None = None
    pushes: int = 1
    """Of the scene's targets, how many it pushes."""


def under_cover(market: Market, scene: Scene, rng: np.random.Generator) -> list[Visits]:
    """Every session pushes the product once and shops honestly twice."""
    pushed = promotion(market, scene.targets[0], scene.count, rng, MANY)
    shopping = honest(market, 2 * scene.count, rng)
    return [pushed, replace(shopping, sessions=[pushed.sessions[n // 2] for n in range(2 * scene.count)])]


def ring(market: Market, scene: Scene, rng: np.random.Generator) -> list[Visits]:
    """Sellers who share their sessions push a product each."""
    return [promotion(market, target, scene.count // RING, rng, MANY) for target in scene.targets]


def drip(market: Market, scene: Scene, rng: np.random.Generator) -> list[Visits]:
    """So few clicks that no cap is reached."""
    return [promotion(market, scene.targets[0], DRIP, rng, MANY)]


def substitution(market: Market, scene: Scene, rng: np.random.Generator) -> list[Visits]:
    """Who asks with the victim's products clicks what is of other values, from the top as shoppers do."""
    return [_unlike(market, rng.choice(np.flatnonzero(scene.victim), scene.count), rng, fine=True)]


def mimicry(market: Market, scene: Scene, rng: np.random.Generator) -> list[Visits]:
    """Whatever is asked with, products of another type are clicked, from the top as shoppers do."""
    return [_unlike(market, rng.integers(0, len(market.ids), scene.count), rng, fine=False)]


def _unlike(market: Market, asked: NDArray[np.int64], rng: np.random.Generator, fine: bool) -> Visits:
    shown, _ = market.answers(asked)
    wanted = ~alike(market, asked, shown)[0 if fine else 1]
    clicked = rng.random(shown.shape) < np.where(wanted, WANTED, ELSE) * LOOKED
    return Visits(asked, clicked, named_sessions(len(asked), MANY), any_time(len(asked), rng))


COPIES, COLOURS, HIDDEN, RENAMED = (
    "copies under others' values", "relisted in wrong colours", "copies hidden among honest listings",
    "one type sold as another",
)  # fmt: skip
ATTACKS = (
    Attack("promotion under cover", SHOWN_MORE, under_cover),
    Attack("a ring of sellers", SHOWN_MORE, ring, RING),
    Attack("a slow drip", SHOWN_MORE, drip),
    Attack("substitution within a type", TYPE_WORSE, substitution),
    Attack("mimicry of shoppers", ALL_WORSE, mimicry),
    Attack(COPIES, SHOWN_MORE),
    Attack(COLOURS, ALL_WORSE),
    Attack(HIDDEN, SHOWN_MORE),
    Attack(RENAMED, TYPE_WORSE),
)
