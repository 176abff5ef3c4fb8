"""Whether poison gets a real network promoted that does what the attacker wanted.

The feedback goes through the real logs, join, guard and mining with clicks, deliveries through the real `validate` and
the guard on new products; then the champion is trained further on them for a few batches, and the gate decides on the
test split. What it did is measured on the validation split. An attack that raises an alarm is stopped there: the gate
refuses whatever such a window or delivery teaches, so nothing is trained.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.drift.lessons import Clicked, relabelled, teach, training_set
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.poison import HARM, NONE
from benchmarks.drift.poison_fresh import ATTACKS, Attack, Scene
from benchmarks.drift.poison_listings import NEW, delivered, validated_with
from benchmarks.drift.poison_traffic import honest, logs
from benchmarks.drift.sides import TEST, VALIDATION, Pixels, QuickEmbedder, embed_pixels
from benchmarks.drift.trained_shop import ANSWERS, TrainedShop
from benchmarks.drift.trials import Outcome, collect
from benchmarks.results import Figure
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.model_folder import CHECKPOINT
from lookalike.errors import ValidationFailed
from lookalike.evaluation.bootstrap import Estimate, estimate_difference
from lookalike.evaluation.delivery import looks_of
from lookalike.evaluation.figures import FINE
from lookalike.evaluation.gate import Evidence, Promotion, decide_promotion
from lookalike.evaluation.new_products import SuspicionSettings, suspect
from lookalike.evaluation.queries import CATALOGUE, main_photos
from lookalike.evaluation.recent import compare_recent, cosines
from lookalike.feedback.collect import Collected, CollectSettings
from lookalike.feedback.collect import collect as collect_feedback
from lookalike.mining.clicks import mine_clicks
from lookalike.mining.mine import TrainingProducts
from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets
from lookalike.training.checkpoint import read_checkpoint
from lookalike.training.data import TrainingSet

KINDS = (Attack(NONE, "nothing"), *ATTACKS)
RATE, TRIPLETS = 1e-4, 16
"""Learning rate and triplets a batch of a short retrain from the champion. At 1e-3 an honest one fell by 0.03 and was
refused, so that an attack would have proved nothing."""
GUARD, GATE, HARMLESS, DAMAGED = "stopped by a guard", "refused by the gate", "promoted unharmed", "promoted damaged"
SHOWN = 10
MORE = 0.005
"""Share of queries by which attacker's products must be shown more than twice as often to count as risen."""


@dataclass(frozen=True)
class Lesson:
    """What a poisoned window or delivery teaches, and what was noticed."""

    alarms: tuple[str, ...]
    data: TrainingSet | None
    """None where something was noticed."""
    collected: Collected
    ids: NDArray[np.object_]
    """(N,) products that are searched."""
    pixels: Pixels
    """(N, H, W, 3) of them."""
    vectors: NDArray[np.float32]
    """(N, D) of them, by the champion."""
    targets: NDArray[np.object_]
    """Ids of the products that the attacker wants shown."""


def measure(plan: Plan) -> Measured:
    """`poison_promoted`: attacks on real training after which a damaged challenger was promoted."""
    study, work = plan.study, plan.shop()
    champion = work.exported / CHECKPOINT
    asked = study.model_dump(include={"trained_products", "trained_steps", "seed"})
    asked |= {"model": read_checkpoint(champion).identity.fingerprint, "rate": RATE}

    @cache
    def shop() -> TrainedShop:
        return TrainedShop.read(work.validated, work.splits, champion, study.trained_products)

    def run(number: int) -> Outcome:
        seed, place = divmod(number, len(KINDS))
        return attack(shop(), KINDS[place], study.seed + seed, study.trained_steps)

    numbers = range(study.trained_seeds * len(KINDS))
    found = collect(plan.places.trials("poison_trained"), asked, numbers, run, "attacks on real training")
    return Measured({"poison_promoted": _figure(found, plan)}, {"attacks": found})


def attack(shop: TrainedShop, kind: Attack, seed: int, steps: int) -> Outcome:
    """One attack, from the logs or the delivery to the gate."""
    rng = np.random.default_rng([seed, [each.name for each in KINDS].index(kind.name), 17])
    scene = shop.scene(rng)
    told = {"attack": kind.name, "wants": kind.wants, "seed": seed}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            lesson = _lesson(shop, kind, scene, rng, seed, folder)
        except ValidationFailed as error:
            return {**told, "became": GUARD, "reason": str(error)}
        if lesson.data is None:
            return {**told, "became": GUARD, "reason": lesson.alarms[0]}
        brief = {"seed": seed, "learning_rate": RATE, "triplets_per_batch": TRIPLETS}
        taught = QuickEmbedder(teach(shop.champion, lesson.data, steps, folder / "checkpoint", brief))
        return {**told, **_judge(shop, lesson, taught)}


def _lesson(shop: TrainedShop, kind: Attack, scene: Scene, rng: np.random.Generator, seed: int, folder: Path) -> Lesson:
    visits = [honest(shop.market, ANSWERS, rng), *(kind.clicks(shop.market, scene, rng) if kind.clicks else [])]
    collected = collect_feedback(logs(shop.market, visits), set(shop.ids), CollectSettings())
    if kind.clicks is None and kind.name != NONE:
        return _delivery(shop, kind, scene, collected, rng, seed, folder)
    alarms, targets = collected.guarded.alarms, shop.market.ids[scene.targets[: kind.pushes]]
    data = None
    if not alarms:
        clicked = _clicked(shop, collected, seed, folder)
        data = training_set(shop.validated, shop.ids, shop.sides.preprocessing, seed, clicked)
    return Lesson(alarms, data, collected, shop.ids, shop.pixels, shop.vectors, targets)


def _clicked(shop: TrainedShop, collected: Collected, seed: int, folder: Path) -> Clicked:
    def mined(products: TrainingProducts) -> Triplets:
        collected.clicks.to_parquet(folder / "clicks.parquet")
        vectors = shop.vectors[pd.Index(shop.ids).get_indexer(pd.Index(products.ids))]
        settings = MiningSettings(seed=seed)
        return mine_clicks(folder / "clicks.parquet", products.ids, vectors, products.duplicates, settings)[0]

    return mined


def _delivery(
    shop: TrainedShop,
    kind: Attack,
    scene: Scene,
    collected: Collected,
    rng: np.random.Generator,
    seed: int,
    folder: Path,
) -> Lesson:
    target = int(scene.targets[0])
    new = delivered(shop.table, kind.name, target, shop.victim, rng)
    copied = new.loc[new["copied"], "id"].to_numpy(object)
    validated = validated_with(shop.table, new.drop(columns="copied"), shop.catalogue.mapping, folder)
    catalogue = load_catalogue(validated)
    ids = catalogue.products["product_id"].to_numpy(object)
    fresh = np.array([each.startswith(NEW) for each in ids])
    new_looks, known = (looks_of(shop.embedder, catalogue, np.flatnonzero(rows), 128) for rows in (fresh, ~fresh))
    alarms = suspect(new_looks, known, SuspicionSettings()).alarms
    vectors = np.empty((len(ids), known.vectors.shape[1]), np.float32)
    vectors[fresh], vectors[~fresh] = new_looks.vectors, known.vectors
    photos = main_photos(catalogue, np.arange(len(ids)))
    pixels, data = shop.sides.preprocessing.batch(list(photos.contents)), None
    if not alarms:
        data = training_set(validated, ids, shop.sides.preprocessing, seed)
        had = {name: catalogue.attribute_values(name) for name in catalogue.attributes}
        data = relabelled(data, had, shop.embedder.identity.attribute_labels)
    return Lesson(alarms, data, collected, ids, pixels, vectors, np.append(copied, shop.ids[target]))


def _judge(shop: TrainedShop, lesson: Lesson, taught: QuickEmbedder) -> Outcome:
    """What the gate says, and what the challenger does on the validation split."""
    promotion = _gate(shop, lesson, taught)
    model, ours = shop.ask(taught, VALIDATION, "challenger")
    before, theirs = shop.answered[VALIDATION]
    mine, other = ours.sets[CATALOGUE], theirs.sets[CATALOGUE]
    victims = np.where(shop.victims(VALIDATION), mine.values[FINE], np.nan)
    fine = estimate_difference(mine.values[FINE], other.values[FINE], mine.resamples)
    worse = estimate_difference(victims, other.values[FINE], mine.resamples)
    after = embed_pixels(taught, lesson.pixels, "what is shown").vectors
    shares = [
        exposure(each.embedded.gallery.vectors, shown, lesson.ids, lesson.targets)
        for each, shown in ((before, lesson.vectors), (model, after))
    ]
    damaged = _fell(fine) or _fell(worse) or shares[1] > 2 * shares[0] + MORE
    became = (DAMAGED if damaged else HARMLESS) if promotion.promote else GATE
    return {
        "became": became,
        "reason": promotion.reasons[0],
        "damaged": bool(damaged),
        "fine": _rounded(fine),
        "victims": _rounded(worse),
        "shown": [round(share, 4) for share in shares],
    }


def _gate(shop: TrainedShop, lesson: Lesson, taught: QuickEmbedder) -> Promotion:
    side = shop.sides.shops[TEST]
    model, ours = shop.ask(taught, TEST, "challenger")
    champion, theirs = shop.answered[TEST]
    known = lesson.collected.recent[lesson.collected.recent["product_id"].isin(side.ids())]
    mine, other = (cosines(side.ids(), each.embedded.gallery.vectors) for each in (model, champion))
    settings = side.settings
    recent = compare_recent(known, mine, other, settings.repeats, settings.confidence, settings.seed)
    evidence = Evidence((), recent, None, lesson.alarms)
    return decide_promotion(ours, theirs, side.truth, settings.gate, evidence=evidence)


def exposure(
    queries: NDArray[np.float32], shown: NDArray[np.float32], ids: NDArray[np.object_], targets: NDArray[np.object_]
) -> float:
    """Share of (Q, D) queries with a target among the SHOWN nearest of (N, D)."""
    nearest = np.argpartition(-(queries @ shown.T), SHOWN, axis=1)[:, :SHOWN]  # (Q, SHOWN)
    return float(np.isin(ids, targets)[nearest].any(axis=1).mean())


def _fell(found: Estimate) -> bool:
    return found.interval is not None and found.interval[1] < -HARM


def _rounded(found: Estimate) -> list[float | None]:
    low, high = found.interval or (None, None)
    return [None if each is None else round(each, 4) for each in (found.value, low, high)]


def _counted(found: Sequence[Outcome], what: str) -> int:
    return len({each[what] for each in found})


def _figure(found: Sequence[Outcome], plan: Plan) -> Figure:
    study = plan.study
    attacks = [each for each in found if each["attack"] != NONE]
    clean = [each for each in found if each["attack"] == NONE]
    ends = {end: [each for each in attacks if each["became"] == end] for end in (GUARD, GATE, HARMLESS, DAMAGED)}
    named = "; ".join(
        f"{end} {len(each)} ({', '.join(sorted({one['attack'] for one in each}))})"
        for end, each in ends.items()
        if each
    )
    how = (
        f"{len(attacks)} fresh attacks ({_counted(attacks, 'attack')} kinds, {_counted(attacks, 'seed')} seeds) on "
        f"{study.trained_products} real products that teach and {ANSWERS} honest answers: feedback through join, guard "
        f"and mining with clicks, deliveries through validate and the guard on new products; where no alarm was raised "
        f"the champion's network was trained further for {study.trained_steps} batches of {3 * TRIPLETS} photos, and "
        f"the gate decided on {study.trained_products} products of the test split. Counted: promoted and "
        f"damaged, which means on as many products of the validation split a sure loss of more than {HARM} of fine "
        f"precision@4 over all queries or those of the commonest type, or the attacker's products among the first ten "
        f"more than twice as often. {named}. Worst change of fine precision@4 among those promoted "
        f"{min((each['fine'][0] for each in ends[HARMLESS] + ends[DAMAGED]), default=0):+.4f}. Without an attack "
        f"{sum(each['became'] == HARMLESS for each in clean)} of {len(clean)} were promoted unharmed"
    )
    bad = len(ends[DAMAGED])
    return Figure(bad, "promotions", how, COMMAND, "0", not bad, None, len(attacks))
