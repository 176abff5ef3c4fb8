"""Whether the gate refuses what is worse and promotes what is better, on real photos and the real trained model.

It needs a workspace in which the training pipeline has run, and a checkpoint of the same recipe after one epoch.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.drift.gate_cases import Case, Models, better, worse
from benchmarks.drift.gate_shop import GateShop, SwappedColours
from benchmarks.drift.gate_traffic import compare_traffic
from benchmarks.results import Figure, record
from lookalike.errors import LookalikeError
from lookalike.evaluation.cost import Served, compare_costs
from lookalike.evaluation.figures import FINE
from lookalike.evaluation.gate import Evidence, Promotion, decide_promotion
from lookalike.evaluation.leakage import find_leaks
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.queries import CATALOGUE
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.training.embedder import FrozenBackbone, TorchEmbedder
from lookalike.workspace import Workspace

COMMAND = "python -m benchmarks.drift.gate"
Cases = Callable[[GateShop, Models, int], list[Case]]


@dataclass(frozen=True)
class Judged:
    """What the gate said of one case."""

    name: str
    gain: float
    """Fine precision@4 of the challenger minus the champion's."""
    promotion: Promotion


def read_models(shop: GateShop, exported: Path, checkpoint: Path, short: Path) -> Models:
    """Send all photos through the real models."""
    served = Served.of_folder(exported)
    return Models(
        trained=shop.ask(served.embedder),
        short=shop.ask(TorchEmbedder(short)),
        frozen=shop.ask(FrozenBackbone(checkpoint)),
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


def measure(shop: GateShop, models: Models, seeds: Sequence[int]) -> dict[str, Figure]:
    """`gate_errors`: decisions that were wrong, of ten worse and ten better challengers for every seed."""
    told = {name: _all(shop, models, cases, seeds) for name, cases in (("worse", worse), ("better", better))}
    wrong = [each for name, judged in told.items() for each in judged if each.promotion.promote != (name == "better")]
    decisions = sum(map(len, told.values()))
    how = (
        f"real photos of the test split ({len(shop.gallery.products)} products) and the trained model; ten planted "
        f"worse and ten planted better challengers for each of {len(seeds)} seeds of noise, traffic and resamples. "
        f"Change of fine precision@4: worse {_gains(told['worse'])}; better {_gains(told['better'])}. "
    )
    how += f"Wrong: {[(each.name, each.promotion.reasons[0]) for each in wrong]}" if wrong else "None was wrong."
    return {
        "gate_errors": Figure(
            len(wrong), "decisions", how, COMMAND, "0: all refused / all promoted", not wrong, None, decisions
        )
    }


def _all(shop: GateShop, models: Models, cases: Cases, seeds: Sequence[int]) -> list[Judged]:
    judged = []
    for seed in seeds:
        seeded = replace(shop, settings=shop.settings.model_copy(update={"seed": seed}))
        known = dict[int, Evaluation]()
        for case in cases(seeded, models, seed):
            judged.append(judge_case(seeded, case, seed, known))
            said = "promoted" if judged[-1].promotion.promote else f"refused: {judged[-1].promotion.reasons[0]}"
            sys.stdout.write(f"seed {seed}, {case.name}, {judged[-1].gain:+.3f}: {said}\n")
    return judged


def _gains(judged: Sequence[Judged]) -> str:
    means = pd.DataFrame([(each.name, each.gain) for each in judged]).groupby(0, sort=False)[1].mean()
    return ", ".join(f"{name} {gain:+.3f}" for name, gain in means.items())


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="workspace with a live release")
    parser.add_argument("--validated", type=Path, help="validated catalogue; by default the workspace's")
    parser.add_argument("--splits", type=Path, help="splits; by default the workspace's")
    parser.add_argument("--short", type=Path, required=True, help="checkpoint of the recipe after one epoch")
    parser.add_argument("--release", required=True, help="release whose model is measured, by id or prefix")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--products", type=int, default=20_000, help="products of the test split, at most")
    parser.add_argument("--quick", action="store_true", help="1,500 products and one seed; figures are only printed")
    chosen = parser.parse_args()
    work = Workspace(chosen.workspace)
    settings = EvaluationSettings(damaged_queries=300 if chosen.quick else 1_500)
    try:
        exported = next(work.releases.glob(f"{chosen.release}*/exported"))
        folders = (chosen.validated or work.validated, chosen.splits or work.splits)
        shop = GateShop.read(*folders, settings, 1_500 if chosen.quick else chosen.products)
        models = read_models(shop, exported, exported / "checkpoint", chosen.short)
        found = measure(shop, models, range(1 if chosen.quick else chosen.seeds))
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
