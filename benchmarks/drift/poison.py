"""Whether poisoned feedback or a poisoned catalogue ever gets a challenger promoted that it has made worse.

Real photos through the real champion; the logs, the join, the guards, mining and the gate are the library's own.
Training is a linear map of the champion's vectors, learned from the mined triplets: a network's training takes minutes,
and there are dozens of attacks. Harm is measured on the validation split, where the gate does not look.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.drift.poison_shop import (
    PoisonShop,
    Products,
    attribute_triplets,
    joined_products,
    learn_map,
    mapped,
    unit,
)
from benchmarks.drift.poison_traffic import (
    Market,
    Visits,
    against_order,
    at_once,
    blind,
    honest,
    logs,
    promotion,
)
from benchmarks.results import Figure, record
from lookalike.embedders.model_folder import CHECKPOINT
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.errors import LookalikeError
from lookalike.evaluation.bootstrap import estimate_difference
from lookalike.evaluation.figures import FINE
from lookalike.evaluation.gate import Evidence, Promotion, decide_promotion
from lookalike.evaluation.new_products import Looks, SuspicionSettings, suspect
from lookalike.evaluation.queries import CATALOGUE
from lookalike.evaluation.recent import compare_recent, cosines
from lookalike.feedback.collect import Collected, CollectSettings, collect
from lookalike.feedback.guard import GuardSettings
from lookalike.mining.clicks import mine_clicks
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets, join_triplets
from lookalike.training.embedder import FrozenBackbone
from lookalike.workspace import Workspace

COMMAND = "python -m benchmarks.drift.poison"
HONEST = 4_000
"""Answers of honest shoppers in a window."""
HARM = 0.005
"""Fine precision@4 that a model may lose on unseen products, for training alike twice differs by as much."""
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
STRENGTHS = (0.1, 0.5, 2.0)
"""Answers the attacker asks for, in answers of honest shoppers; of a flood, delivered copies in products."""


NO_GUARD = GuardSettings(
    most_per_source=10**9,
    most_share=1.0,
    product_times=1e9,
    burst_times=1e9,
    contrary_events=10**9,
    nothing_alike=-1.0,
    alike=-0.99,
    alarm_share=1.0,
)


@dataclass(frozen=True)
class Outcome:
    """What became of one attack."""

    attack: str
    strength: float
    promoted: bool
    reason: str
    gain: float
    """Fine precision@4 on the validation split, challenger minus champion."""
    harmed: bool
    """Whether that has surely fallen by more than HARM, or the attacker's product is shown twice as often."""


def visits(market: Market, attack: str, strength: float, target: int, rng: np.random.Generator) -> list[Visits]:
    """Honest shoppers, and the attacker among them."""
    count = int(strength * HONEST)
    made = {
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


def run(shop: PoisonShop, market: Market, attack: str, strength: float, seed: int, guard: GuardSettings) -> Outcome:
    """One attack, from the logs to the gate."""
    rng = np.random.default_rng([seed, len(attack), int(100 * strength)])
    target = int(rng.integers(0, len(shop.teaching.ids)))
    teaching, alarms = shop.teaching, tuple[str, ...]()
    if attack == FLOOD:
        new = flood(shop, strength, target, rng)
        alarms = suspect(new.looks, teaching.looks, SuspicionSettings()).alarms
        teaching = joined_products(teaching, new)
    joined = logs(market, visits(market, attack, strength, target, rng))
    collected = collect(joined, set(shop.teaching.ids), CollectSettings(guard=guard))
    learned = learn_map(teaching.base, _triplets(shop, teaching, collected, seed))
    promotion = _judge(shop, collected, learned, (*alarms, *collected.guarded.alarms))
    gain, surely = _unseen(shop, learned)
    lifted = _exposure(shop, target, learned) > 2 * _exposure(shop, target, shop.learned) + 0.005
    return Outcome(attack, strength, promotion.promote, promotion.reasons[0], gain, surely or lifted)


def _triplets(shop: PoisonShop, teaching: Products, collected: Collected, seed: int) -> Triplets:
    """Those of the attributes and those of the clicks, as the mining stage joins them."""
    settings = MiningSettings(seed=seed)
    vectors = unit(teaching.base @ shop.learned)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "clicks.parquet"
        collected.clicks.to_parquet(log)
        clicked, _ = mine_clicks(log, teaching.ids, vectors, np.full(len(teaching.ids), -1), settings)
    return join_triplets([attribute_triplets(teaching, shop.attributes, seed), clicked])


def _judge(shop: PoisonShop, collected: Collected, learned: np.ndarray, alarms: tuple[str, ...]) -> Promotion:
    """What the gate says of the map against the champion's."""
    gate, settings = shop.gate, shop.gate.settings
    challenger, champion = (mapped(gate, shop.base, each) for each in (learned, shop.learned))
    known = collected.recent[collected.recent["product_id"].isin(gate.ids())]
    ours, theirs = (cosines(gate.ids(), model.embedded.gallery.vectors) for model in (challenger, champion))
    recent = compare_recent(known, ours, theirs, settings.repeats, settings.confidence, settings.seed)
    both = (gate.evaluate(challenger), gate.evaluate(champion))
    return decide_promotion(*both, gate.truth, settings.gate, evidence=Evidence((), recent, None, alarms))


def _unseen(shop: PoisonShop, learned: np.ndarray) -> tuple[float, bool]:
    """Change of fine precision@4 on the validation split, and whether it has surely fallen."""
    models = (mapped(shop.unseen, shop.base_unseen, each) for each in (learned, shop.learned))
    ours, theirs = (shop.unseen.evaluate(model).sets[CATALOGUE] for model in models)
    found = estimate_difference(ours.values[FINE], theirs.values[FINE], ours.resamples)
    return float(found.value or 0.0), found.interval is not None and found.interval[1] < -HARM


def _exposure(shop: PoisonShop, target: int, learned: np.ndarray) -> float:
    """Share of the validation split's queries that show the product among ten of those that teach."""
    queries, shown = (unit(each @ learned) for each in (shop.base_unseen.embedded.gallery.vectors, shop.teaching.base))
    scores = queries @ shown.T  # (Q, N)
    return float(((scores > scores[:, [target]]).sum(axis=1) < 10).mean())


def measure(shop: PoisonShop, seeds: Sequence[int], strengths: Sequence[float] = STRENGTHS) -> dict[str, Figure]:
    """`poison_promoted`: attacks after which a harmed challenger was promoted; the same attacks without the guard, and
    no attack at all, say what that is worth."""
    market, guarded, bare, clean = Market.of(shop), [], [], []
    for seed in seeds:
        clean.append(_told(run(shop, market, "none", 0.0, seed, GuardSettings())))
        for attack in ATTACKS:
            for strength in strengths:
                guarded.append(_told(run(shop, market, attack, strength, seed, GuardSettings())))
                bare.append(_told(run(shop, market, attack, strength, seed, NO_GUARD)))
    bad = [each for each in guarded if each.promoted and each.harmed]
    through = [each.gain for each in guarded if each.promoted]
    hurt = [each for each in bare if each.harmed]
    how = (
        f"{len(guarded)} attacks ({len(ATTACKS)} kinds, strengths {', '.join(map(str, strengths))}, {len(seeds)} "
        f"seeds) on {len(shop.teaching.ids)} real products that teach; logs, join, guards, mining and gate are the "
        f"library's, training is a linear map of the untrained encoder's vectors. {len(guarded) - len(through)} "
        f"challengers were refused, {len(through)} promoted since the guard had left no harm (worst change of fine "
        f"precision@4 on unseen products {min(through, default=0):+.4f}). Without the guard's rules, its alarms "
        f"kept, {len(hurt)} challengers were harmed, {sum(not each.promoted for each in hurt)} of them refused. "
        f"Without an attack {sum(each.promoted for each in clean)} of {len(clean)} were promoted."
    )
    how += f" Wrong: {[(each.attack, each.strength) for each in bad]}." if bad else ""
    return {"poison_promoted": Figure(len(bad), "promotions", how, COMMAND, "0", not bad, None, len(guarded))}


def _told(outcome: Outcome) -> Outcome:
    said = "promoted" if outcome.promoted else "refused"
    harm = "harmed" if outcome.harmed else "unharmed"
    sys.stdout.write(f"{outcome.attack} x{outcome.strength:g}, {outcome.gain:+.4f}, {harm}: {said}: {outcome.reason}\n")
    sys.stdout.flush()
    return outcome


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="workspace with a live release")
    parser.add_argument("--validated", type=Path, help="validated catalogue; by default the workspace's")
    parser.add_argument("--splits", type=Path, help="splits; by default the workspace's")
    parser.add_argument("--release", required=True, help="release whose model is the champion, by id or prefix")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--products", type=int, default=6_000, help="products of the train split that teach")
    parser.add_argument("--quick", action="store_true", help="2,000 products, one strength; figures are only printed")
    chosen = parser.parse_args()
    work = Workspace(chosen.workspace)
    try:
        exported = next(work.releases.glob(f"{chosen.release}*/exported"))
        folders = (chosen.validated or work.validated, chosen.splits or work.splits)
        products = 2_000 if chosen.quick else chosen.products
        shop = PoisonShop.read(
            *folders, OnnxEmbedder(exported, threads=1), FrozenBackbone(exported / CHECKPOINT), products, 0
        )
        strengths = STRENGTHS[1:2] if chosen.quick else STRENGTHS
        found = measure(shop, range(1 if chosen.quick else chosen.seeds), strengths)
    except LookalikeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if chosen.quick:
        sys.stdout.write(f"{found}\n")
    else:
        record("drift", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
