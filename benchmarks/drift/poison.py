"""Whether poisoned feedback or a poisoned catalogue ever gets a challenger promoted that it has made worse.

Real photos through the real champion; the logs, the join, the guards, mining and the gate are the library's own.
Training is a linear map of the champion's vectors, learned from the mined triplets: a network's training takes minutes,
and there are dozens of attacks; `poison_trained` trains the network for a few. Harm is measured on the validation
split, where the gate does not look.
"""

import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.poison_attacks import ATTACKS, FLOOD, flood, visits
from benchmarks.drift.poison_shop import (
    PoisonShop,
    Products,
    attribute_triplets,
    joined_products,
    learn_map,
    mapped,
    unit,
)
from benchmarks.drift.poison_traffic import Market, logs
from benchmarks.drift.trials import Outcome, collect
from benchmarks.results import Figure
from lookalike.embedders.model_folder import CHECKPOINT, load_model
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.evaluation.bootstrap import estimate_difference
from lookalike.evaluation.figures import FINE
from lookalike.evaluation.gate import Evidence, Promotion, decide_promotion
from lookalike.evaluation.new_products import SuspicionSettings, suspect
from lookalike.evaluation.queries import CATALOGUE
from lookalike.evaluation.recent import compare_recent, cosines
from lookalike.feedback.collect import Collected, CollectSettings
from lookalike.feedback.collect import collect as collect_feedback
from lookalike.feedback.guard import GuardSettings
from lookalike.mining.clicks import mine_clicks
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets, join_triplets
from lookalike.training.embedder import FrozenBackbone

HARM = 0.005
"""Fine precision@4 that a model may lose on unseen products, for training alike twice differs by as much."""
NONE = "none"
GUARDED, BARE = "guarded", "bare"
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
GUARDS = {GUARDED: GuardSettings(), BARE: NO_GUARD}


def measure(plan: Plan) -> Measured:
    """`poison_promoted_linear`: attacks after which a harmed challenger was promoted; the first seed's without the
    guard, and no attack at all, say what that is worth."""
    study, work = plan.study, plan.shop()
    attacks = [(NONE, 0.0), *product(ATTACKS, study.poison_strengths)]
    asked = study.model_dump(include={"poison_products", "poison_strengths", "seed"})
    asked |= {"model": load_model(work.exported).fingerprint}

    @cache
    def shop() -> tuple[PoisonShop, Market]:
        embedders = OnnxEmbedder(work.exported, threads=1), FrozenBackbone(work.exported / CHECKPOINT)
        read = PoisonShop.read(work.validated, work.splits, *embedders, study.poison_products, study.seed)
        return read, Market.of(read)

    def run(number: int) -> Outcome:
        seed, place = divmod(number, len(attacks))
        kind, strength = attacks[place]
        guards = GUARDS if seed == 0 else {GUARDED: GUARDS[GUARDED]}
        told = {name: attack(*shop(), kind, strength, seed, guard) for name, guard in guards.items()}
        return {"attack": kind, "strength": strength, "seed": seed, **told}

    numbers = range(study.poison_seeds * len(attacks))
    found = collect(plan.places.trials("poison"), asked, numbers, run, "attacks")
    return Measured({"poison_promoted_linear": _figure(found, plan)})


def attack(shop: PoisonShop, market: Market, kind: str, strength: float, seed: int, guard: GuardSettings) -> Outcome:
    """One attack, from the logs to the gate: whether its challenger was promoted and whether it is harmed, which means
    that it surely lost more than HARM or shows the attacker's product twice as often."""
    rng = np.random.default_rng([seed, len(kind), int(100 * strength)])
    target = int(rng.integers(0, len(shop.teaching.ids)))
    teaching, alarms = shop.teaching, tuple[str, ...]()
    if kind == FLOOD:
        new = flood(shop, strength, target, rng)
        alarms = suspect(new.looks, teaching.looks, SuspicionSettings()).alarms
        teaching = joined_products(teaching, new)
    joined = logs(market, visits(market, kind, strength, target, rng))
    collected = collect_feedback(joined, set(shop.teaching.ids), CollectSettings(guard=guard))
    learned = learn_map(teaching.base, _triplets(shop, teaching, collected, seed))
    promotion = _judge(shop, collected, learned, (*alarms, *collected.guarded.alarms))
    gain, surely = _unseen(shop, learned)
    lifted = _exposure(shop, target, learned) > 2 * _exposure(shop, target, shop.learned) + 0.005
    return {
        "promoted": promotion.promote,
        "reason": promotion.reasons[0],
        "gain": gain,
        "harmed": bool(surely or lifted),
    }


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
    challenger, champion = mapped(gate, shop.base, learned), shop.champion
    known = collected.recent[collected.recent["product_id"].isin(gate.ids())]
    ours, theirs = (cosines(gate.ids(), model.embedded.gallery.vectors) for model in (challenger, champion))
    recent = compare_recent(known, ours, theirs, settings.repeats, settings.confidence, settings.seed)
    both = (gate.evaluate(challenger), shop.champion_evaluated)
    return decide_promotion(*both, gate.truth, settings.gate, evidence=Evidence((), recent, None, alarms))


def _unseen(shop: PoisonShop, learned: np.ndarray) -> tuple[float, bool]:
    """Change of fine precision@4 on the validation split, and whether it has surely fallen."""
    challenger = shop.unseen.evaluate(mapped(shop.unseen, shop.base_unseen, learned))
    ours, theirs = (each.sets[CATALOGUE] for each in (challenger, shop.champion_unseen))
    found = estimate_difference(ours.values[FINE], theirs.values[FINE], ours.resamples)
    return float(found.value or 0.0), found.interval is not None and found.interval[1] < -HARM


def _exposure(shop: PoisonShop, target: int, learned: np.ndarray) -> float:
    """Share of the validation split's queries that show the product among ten of those that teach."""
    queries, shown = (unit(each @ learned) for each in (shop.base_unseen.embedded.gallery.vectors, shop.teaching.base))
    scores = queries @ shown.T  # (Q, N)
    return float(((scores > scores[:, [target]]).sum(axis=1) < 10).mean())


def _figure(found: Sequence[Outcome], plan: Plan) -> Figure:
    study, clean = plan.study, [each[GUARDED] for each in found if each["attack"] == NONE]
    attacks = [each for each in found if each["attack"] != NONE]
    guarded, bare = ([each[name] for each in attacks if name in each] for name in GUARDS)
    bad = [each for each in attacks if each[GUARDED]["promoted"] and each[GUARDED]["harmed"]]
    through = [each["gain"] for each in guarded if each["promoted"]]
    hurt = [each for each in bare if each["harmed"]]
    how = (
        f"{len(attacks)} attacks ({len(ATTACKS)} kinds, strengths {', '.join(map(str, study.poison_strengths))}, "
        f"{study.poison_seeds} seeds) on {study.poison_products} real products that teach; logs, join, guards, mining "
        f"and gate are the library's, training is a linear map of the untrained encoder's vectors. Counted: promoted "
        f"and harmed, which means a sure loss of more than {HARM} of fine precision@4 on the validation split or the "
        f"attacker's product shown twice as often. {len(guarded) - len(through)} challengers were refused, "
        f"{len(through)} promoted (worst change on unseen products {min(through, default=0):+.4f}). Without the "
        f"guard's rules, its alarms about places kept, {len(hurt)} of {len(bare)} challengers were harmed, "
        f"{sum(not each['promoted'] for each in hurt)} of them refused. Without an attack "
        f"{sum(each['promoted'] for each in clean)} of {len(clean)} were promoted."
    )
    how += f" Wrong: {[(each['attack'], each['strength'], each['seed']) for each in bad]}." if bad else ""
    return Figure(len(bad), "promotions", how, COMMAND, "0", not bad, None, len(attacks))
