"""The attacks on a shop whose training is a linear map: feedback of eight kinds, or a flood of copies."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.drift.poison_shop import PoisonShop, Products, unit
from benchmarks.drift.poison_traffic import Market, Visits, against_order, at_once, blind, honest, promotion
from lookalike.evaluation.new_products import Looks

HONEST = 4_000
"""Answers of honest shoppers in a window."""
MANY = 100_000
"""Sessions of an attacker who makes a new one for every answer."""
FLOOD = "catalogue flood"
ATTACKS = (
    "promotion by one session",
    "promotion by many sessions",
    "promotion within an hour",
    "against the order by five sessions",
    "against the order by many sessions",
    "blind clicks by many sessions",
    "events of forged answers",
    FLOOD,
)


def visits(market: Market, attack: str, strength: float, target: int, rng: np.random.Generator) -> list[Visits]:
    """Honest shoppers, and the attacker among them."""
    count = int(strength * HONEST)
    made: dict[str, Callable[[], Visits]] = {
        "promotion by one session": lambda: promotion(market, target, count, rng, 1),
        "promotion by many sessions": lambda: promotion(market, target, count, rng, MANY),
        "promotion within an hour": lambda: at_once(promotion(market, target, count, rng, MANY)),
        "against the order by five sessions": lambda: against_order(market, count, rng, 5),
        "against the order by many sessions": lambda: against_order(market, count, rng, MANY),
        "blind clicks by many sessions": lambda: blind(market, count, rng, MANY),
        "events of forged answers": lambda: replace(promotion(market, target, count, rng, MANY), forged=True),
    }
    return [honest(market, HONEST, rng), *([made[attack]()] if attack in made else [])]


def flood(shop: PoisonShop, strength: float, target: int, rng: np.random.Generator) -> Products:
    """Copies of one product under the values of others: shoppers of those are to be shown it."""
    count, known = int(strength * len(shop.teaching.ids) / 4), shop.teaching
    claimed = rng.integers(0, len(known.ids), count)
    heads = {name: np.repeat(values[[target]], count, axis=0) for name, values in known.looks.probabilities.items()}
    values = {name: places[claimed] for name, places in known.looks.claimed.items()}
    looks = Looks(_near(known.looks.vectors[target], count, rng), heads, values)
    ids = np.array([f"flood {n}" for n in range(count)], object)
    base = _near(known.base[target], count, rng)
    return Products(known.rows[claimed], ids, known.codes[claimed], known.verticals[claimed], base, looks)


def _near(vector: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, D) slightly different photos of one thing."""
    return unit(vector + 0.05 * rng.standard_normal((count, len(vector))) / np.sqrt(len(vector)))
