"""The gate on cases that nobody developed it against: whole trainings by other recipes, and the workspace's model
trained further, rounded, pruned or misfed.

Whether a challenger is worse or better is measured, not meant: on the validation split, where the gate does not look.
It is worse where fine precision@4 on catalogue photos or known-item recall@10 on damaged ones surely fell and neither
surely rose, better where precision surely rose and recall did not surely fall, both by the 95 % interval of the paired
difference. All others are undecided and not counted.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from benchmarks.drift.fresh_models import ARMS, CASES, FINISHED, PAIRS
from benchmarks.drift.fresh_shop import FreshShop
from benchmarks.drift.gate_traffic import compare_traffic
from benchmarks.drift.lessons import preprocessing_of
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.sides import TEST, VALIDATION, Sides
from benchmarks.drift.trials import Outcome, collect
from benchmarks.results import Figure
from lookalike.embedders.model_folder import CHECKPOINT
from lookalike.evaluation.bootstrap import estimate_difference
from lookalike.evaluation.figures import FINE, RECALL
from lookalike.evaluation.gate import Evidence, decide_promotion
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.queries import CATALOGUE, DAMAGED
from lookalike.training.checkpoint import read_checkpoint

WORSE, BETTER, UNDECIDED = "worse", "better", "undecided"
WATCHED = {"precision": (CATALOGUE, FINE), "recall": (DAMAGED, RECALL)}


def measure(plan: Plan) -> Measured:
    """`gate_errors_fresh`: wrong decisions on challengers that are surely worse or surely better."""
    study, work = plan.study, plan.shop()
    given = {FINISHED: work.exported / CHECKPOINT, **{arm: plan.arm(arm) for arm in ARMS}}
    asked = study.model_dump(include={"fresh_products", "train_steps", "seed"})
    asked |= {"models": {name: read_checkpoint(each).identity.fingerprint for name, each in given.items()}}

    @cache
    def shop() -> FreshShop:
        sides = Sides.read(work.validated, work.splits, preprocessing_of(given[FINISHED]), study.fresh_products)
        return FreshShop(work.validated, sides, given, plan.places.root / "challengers", study.train_steps)

    found = collect(
        plan.places.trials("gate_fresh"),
        asked,
        range(len(CASES)),
        lambda number: judge_case(shop(), *CASES[number], study.seed),
        "fresh cases",
    )
    return Measured({"gate_errors_fresh": _figure(found, plan)}, {"cases": found})


def judge_case(shop: FreshShop, challenger: str, champion: str, seed: int) -> Outcome:
    """What a challenger is worth where the gate does not look, and what the gate says where it does."""
    ours, theirs = (shop.evaluate(name, VALIDATION)[1] for name in (challenger, champion))
    truth = {name: _difference(ours, theirs, *where) for name, where in WATCHED.items()}
    decided = _gate(shop, challenger, champion, seed)
    return {"challenger": challenger, "champion": champion, "truth": truth, "is": kind(truth), **decided}


def kind(truth: dict[str, dict[str, Any]]) -> str:
    """Worse, better or undecided, by the two intervals."""
    fell = [each["interval"][1] < 0 for each in truth.values()]
    rose = [each["interval"][0] > 0 for each in truth.values()]
    if any(fell):
        return UNDECIDED if any(rose) else WORSE
    return BETTER if truth["precision"]["interval"][0] > 0 else UNDECIDED


def _gate(shop: FreshShop, challenger: str, champion: str, seed: int) -> Outcome:
    """All are as large and as fast as the champion, and none was trained on the split: time, size and leaks decide
    nothing here."""
    side = shop.sides.shops[TEST]
    (model, ours), (other, theirs) = (shop.evaluate(name, TEST) for name in (challenger, champion))
    evidence = Evidence(leaks=(), recent=compare_traffic(side, model, other, seed))
    promotion = decide_promotion(ours, theirs, side.truth, side.settings.gate, evidence=evidence)
    seen = {name: _difference(ours, theirs, *where) for name, where in WATCHED.items()}
    return {"seen": seen, "promoted": promotion.promote, "reason": promotion.reasons[0]}


def _difference(ours: Evaluation, theirs: Evaluation, queries: str, metric: str) -> dict[str, Any]:
    mine, other = ours.sets[queries], theirs.sets[queries]
    found = estimate_difference(mine.values[metric], other.values[metric], mine.resamples)
    assert found.value is not None and found.interval is not None  # every split has queries
    return {"value": round(found.value, 4), "interval": [round(end, 4) for end in found.interval]}


def _figure(found: Sequence[Outcome], plan: Plan) -> Figure:
    told = {is_: [each for each in found if each["is"] == is_] for is_ in (WORSE, BETTER, UNDECIDED)}
    wrong = [each for is_ in (WORSE, BETTER) for each in told[is_] if each["promoted"] != (is_ == BETTER)]
    counted = len(told[WORSE]) + len(told[BETTER])
    how = (
        f"{len(found)} comparisons that the gate was not developed against, {len(PAIRS)} pairs both ways: {len(ARMS)} "
        f"whole trainings by other recipes (embedding study, seed 0), and the workspace's model trained further for "
        f"{plan.study.train_steps} batches, rounded, pruned or shown other pixels. What a challenger is worth is "
        f"measured on {plan.study.fresh_products} products of the validation split, the gate decides on as many of the "
        f"test split and {plan.study.fresh_products // 4} damaged photos (1,500 as shipped); "
        f"seed {plan.study.seed}. {len(told[WORSE])} are surely worse, {len(told[BETTER])} surely better, "
        f"{len(told[UNDECIDED])} neither and not counted. Change of fine precision@4 on the validation split and its "
        "interval: " + "; ".join(f"{name} {_list(each)}" for name, each in told.items() if each) + ". "
    )
    how += f"Wrong: {[(_name(each), each['reason']) for each in wrong]}" if wrong else "None was wrong."
    return Figure(len(wrong), "decisions", how, COMMAND, "0: all refused / all promoted", not wrong, None, counted)


def _list(cases: Sequence[Outcome]) -> str:
    return ", ".join(
        f"{_name(each)} {each['truth']['precision']['value']:+.3f} "
        f"({each['truth']['precision']['interval'][0]:+.3f} to {each['truth']['precision']['interval'][1]:+.3f}; "
        f"{'promoted' if each['promoted'] else 'refused'})"
        for each in cases
    )


def _name(case: Outcome) -> str:
    return f"{case['challenger']} against {case['champion']}"
