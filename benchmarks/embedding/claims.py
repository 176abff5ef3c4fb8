"""The figures with a goal: each claim of the papers, on public photos, with what it rests on."""

import math
from collections.abc import Sequence

from benchmarks.embedding.arms import MAIN, MULTI, RIVALS, SINGLE, Arm
from benchmarks.embedding.intervals import Sampled
from benchmarks.embedding.results import Results
from benchmarks.results import Figure

COMMAND = "make bench-embedding"

V2 = "frozen_mobilenet_v2"
"""The untrained backbone of the goal, on the arms' own pixels."""

MINING, MULTITASK, FROZEN = 2.0, 1.04, 2.0
"""Shopsy's claims (arXiv 2210.04560), and ours over a frozen backbone."""

METHOD = (
    "95 % intervals from 2,000 resamples of the split's groups, shared by all arms, crossed with resampled seeds "
    "(pigeonhole bootstrap)"
)


def precision_figures(results: dict[str, Results]) -> dict[str, Figure]:
    """`fine_precision_<arm>` on test, `validation_fine_precision_<arm>` on validation."""
    figures = {}
    for split, prefix in (("test", ""), ("validation", "validation_")):
        for arm in results[split].arms:
            how = f"fine precision@4 of catalogue photos, {split} split, own item left out, {_seeds(results, arm)}"
            figures[f"{prefix}fine_precision_{arm}"] = figure(results[split].mean(arm), f"{how}; {METHOD}")
    return figures


def gain_figures(results: dict[str, Results]) -> dict[str, Figure]:
    """The papers' ratios, as far as the arms they compare were run."""
    test = results["test"]
    figures: dict[str, Figure] = {}
    if _have(test, "multi_attribute", "single_label"):
        figures["mining_gain"] = _mining_gain(results)
    single, multi = _among(test, SINGLE), _among(test, MULTI)
    rivals = _among(test, RIVALS)
    if rivals and multi:
        figures["rival_gain"] = _rival_gain(results, rivals, multi)
    if single and multi:
        figures["multitask_gain"] = _multitask_gain(results, single, multi)
    if _have(test, MAIN, V2):
        figures["frozen_gain"] = _gain_over_frozen(test, MAIN, _seeds(results, MAIN))
    return figures


def _mining_gain(results: dict[str, Results]) -> Figure:
    test = results["test"]
    ours, theirs = test.mean("multi_attribute"), test.mean("single_label")
    ratio, apart = ours.over(theirs), ours.interval[0] > theirs.interval[1]
    how = (
        f"multi_attribute {_told(ours)} over single_label {_told(theirs)}, the arms' intervals "
        f"{'lie apart' if apart else 'overlap'}; test split, {_seeds(results, 'multi_attribute')}; {METHOD}"
    )
    return figure(ratio, how, f">= {MINING}, intervals apart", ratio.value >= MINING and apart, "ratio")


def _rival_gain(results: dict[str, Results], rivals: list[str], multi: list[str]) -> Figure:
    test, validation = results["test"], results["validation"]
    best, rival = validation.best(multi), validation.best(rivals)
    how = f"{best} {_told(test.mean(best))} over {rival} {_told(test.mean(rival))}, each the best on validation"
    ratio = test.mean(best).over(test.mean(rival))
    return figure(ratio, f"{how}; test split, {_seeds(results, best)}; {METHOD}", unit="ratio")


def _multitask_gain(results: dict[str, Results], single: list[str], multi: list[str]) -> Figure:
    test, validation = results["test"], results["validation"]
    best_single, best_multi = validation.best(single), validation.best(multi)
    ours, theirs = test.mean(best_multi), test.mean(best_single)
    ratio, apart = ours.over(theirs), ours.interval[0] > theirs.interval[1]
    how = (
        f"{best_multi} {_told(ours)} over {best_single} {_told(theirs)}, the best of {len(multi)} multi-task and "
        f"{len(single)} single-task arms on validation; the paired ratio's interval decides "
        f"({'it lies' if ratio.interval[0] > 1 else 'it does not lie'} above 1; the arms' own intervals "
        f"{'lie apart' if apart else 'overlap'}); test split, {_seeds(results, best_multi)}; {METHOD}"
    )
    return figure(ratio, how, f">= {MULTITASK}, intervals apart", ratio.value >= MULTITASK and apart, "ratio")


def outside_figures(results: dict[str, Results], name: str) -> dict[str, Figure]:
    """What a checkpoint from outside the experiment, on a budget of its own, is worth."""
    figures = {}
    for split, prefix in (("test", ""), ("validation", "validation_")):
        how = f"{name}, on a budget of its own, 1 run: fine precision@4 of catalogue photos, {split} split; {METHOD}"
        figures[f"{prefix}{name}_fine_precision"] = figure(results[split].mean(name), how)
    if _have(results["test"], V2):
        figures[f"{name}_frozen_gain"] = _gain_over_frozen(results["test"], name, "1 run")
    return figures


def _gain_over_frozen(test: Results, arm: str, seeds: str) -> Figure:
    ours = test.mean(arm)
    ratio = ours.over(test.mean(V2))
    beside = ", ".join(f"{name} {_told(test.mean(name))}" for name in test.arms if name.startswith("frozen"))
    how = f"{arm} {_told(ours)} over {V2}; untrained: {beside}; test split, {seeds}; {METHOD}"
    return figure(ratio, how, f">= {FROZEN}", ratio.value >= FROZEN, "ratio")


def figure(sampled: Sampled, how: str, goal: str = "", met: bool | None = None, unit: str = "share") -> Figure:
    """A figure with its interval; a ratio to nothing is not measured."""
    if math.isnan(sampled.value) or math.isnan(sampled.interval[0]):
        return Figure(None, unit, f"not measurable, what it is divided by is 0: {how}", COMMAND, goal, met, n=sampled.n)
    return Figure(sampled.value, unit, how, COMMAND, goal, met, sampled.interval, sampled.n)


def _have(results: Results, *arms: str) -> bool:
    return set(arms) <= set(results.arms)


def _among(results: Results, arms: Sequence[Arm]) -> list[str]:
    return [arm.name for arm in arms if arm.name in results.arms]


def _told(sampled: Sampled) -> str:
    low, high = sampled.interval
    return f"{sampled.value:.3f} ({low:.3f} to {high:.3f})"


def _seeds(results: dict[str, Results], arm: str) -> str:
    count = results["test"].seeds(arm)
    return "1 run" if count == 1 else f"{count} seeds"
