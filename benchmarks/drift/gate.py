"""Whether the gate refuses what is worse and promotes what is better: planted changes of real answers.

Real photos and the real trained model. The gate was mended after a first trial on these very cases; `gate_fresh` has
others that nobody mended anything for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.drift.gate_cases import Case, Models, better, worse
from benchmarks.drift.gate_shop import GateShop, SwappedColours
from benchmarks.drift.gate_traffic import compare_traffic
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.trials import Outcome, collect
from benchmarks.results import Figure
from lookalike.embedders.model_folder import CHECKPOINT, load_model
from lookalike.evaluation.cost import Served, compare_costs
from lookalike.evaluation.figures import FINE
from lookalike.evaluation.gate import Evidence, Promotion, decide_promotion
from lookalike.evaluation.leakage import find_leaks
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.queries import CATALOGUE
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.training.embedder import FrozenBackbone, TorchEmbedder

CASES = {"worse": worse, "better": better}


@dataclass(frozen=True)
class Judged:
    """What the gate said of one case."""

    name: str
    gain: float
    """Fine precision@4 of the challenger minus the champion's."""
    promotion: Promotion


def measure(plan: Plan) -> Measured:
    """`gate_errors`: decisions that were wrong, of ten worse and ten better challengers for every seed."""
    study, work, short = plan.study, plan.shop(), plan.one_epoch()
    settings = EvaluationSettings(damaged_queries=study.gate_products // 2)
    asked = study.model_dump(include={"gate_products"}) | {"model": load_model(work.exported).fingerprint}

    @cache
    def shop() -> tuple[GateShop, Models]:
        read = GateShop.read(work.validated, work.splits, settings, study.gate_products)
        return read, read_models(read, work.exported, short)

    found = collect(
        plan.places.trials("gate"), asked, range(study.gate_seeds), lambda seed: _all(*shop(), seed), "planted cases"
    )
    return Measured({"gate_errors": _figure(found, plan)})


def read_models(shop: GateShop, exported: Path, short: Path) -> Models:
    """Send all photos through the real models."""
    served = Served.of_folder(exported)
    return Models(
        trained=shop.ask(served.embedder),
        short=shop.ask(TorchEmbedder(short)),
        frozen=shop.ask(FrozenBackbone(exported / CHECKPOINT)),
        swapped=shop.ask(SwappedColours(served.embedder)),
        served=served,
    )


def judge_case(shop: GateShop, case: Case, seed: int, known: dict[int, Evaluation]) -> Judged:
    """One comparison through the real gate, with all its evidence; `known` keeps what models were measured already."""
    for model in (case.challenger, case.champion):
        if id(model.embedded) not in known:
            known[id(model.embedded)] = shop.evaluate(model)
    challenger, champion = (known[id(model.embedded)] for model in (case.challenger, case.champion))
    gate = shop.settings.gate
    evidence = Evidence(
        leaks=find_leaks(_trained(shop, case), shop.catalogue, shop.truth, shop.settings.split),
        recent=compare_traffic(shop, case.challenger, case.champion, seed),
        cost=compare_costs(case.challenger_served, case.champion_served, gate.latency_rounds, seed),
    )
    fine = [float(np.nanmean(each.sets[CATALOGUE].values[FINE])) for each in (challenger, champion)]
    promotion = decide_promotion(challenger, champion, shop.truth, gate, evidence=evidence)
    return Judged(case.name, fine[0] - fine[1], promotion)


def _trained(shop: GateShop, case: Case) -> pd.DataFrame:
    """The train split's photos, and those that a case planted among them."""
    ids, splits = shop.catalogue.products["product_id"], shop.truth.splits
    known = ids[(splits == "train") | ids.isin(case.trained if case.trained is not None else []).to_numpy()]
    photos = shop.catalogue.gallery_photos
    return photos.loc[photos["product_id"].isin(known), ["product_id", "sha256"]]


def _all(shop: GateShop, models: Models, seed: int) -> Outcome:
    """Every case of a seed: name, gain, whether it was promoted, and the first reason."""
    seeded = replace(shop, settings=shop.settings.model_copy(update={"seed": seed}))
    told = dict[str, list[tuple[str, float, bool, str]]]()
    for kind, cases in CASES.items():
        planted, known = cases(seeded, models, seed), dict[int, Evaluation]()  # by id: all live as long as `planted`
        judged = [judge_case(seeded, case, seed, known) for case in planted]
        told[kind] = [(each.name, each.gain, each.promotion.promote, each.promotion.reasons[0]) for each in judged]
    return told


def _figure(found: Sequence[Mapping[str, Sequence[tuple[str, float, bool, str]]]], plan: Plan) -> Figure:
    told = {kind: [each for seed in found for each in seed[kind]] for kind in CASES}
    wrong = [(name, reason) for kind, each in told.items() for name, _, ok, reason in each if ok != (kind == "better")]
    how = (
        f"real photos of the test split ({plan.study.gate_products} products) and the trained model; ten planted "
        f"worse and ten planted better challengers for each of {len(found)} seeds of noise, traffic and resamples. "
        f"Change of fine precision@4: worse {_gains(told['worse'])}; better {_gains(told['better'])}. "
    )
    how += f"Wrong: {wrong}" if wrong else "None was wrong."
    decisions = sum(map(len, told.values()))
    return Figure(len(wrong), "decisions", how, COMMAND, "0: all refused / all promoted", not wrong, None, decisions)


def _gains(judged: Sequence[tuple[str, float, bool, str]]) -> str:
    means = pd.DataFrame(judged).groupby(0, sort=False)[1].mean()
    return ", ".join(f"{name} {gain:+.3f}" for name, gain in means.items())
