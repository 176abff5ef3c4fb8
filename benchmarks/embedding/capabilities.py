"""What the main model can do: find a product from another photo of it, damaged or not, and name its attributes."""

from pathlib import Path

import pandas as pd

from benchmarks.embedding.arms import MAIN, ROBUST
from benchmarks.embedding.ceiling import Ceiling, macro_f1_ceiling
from benchmarks.embedding.claims import METHOD, figure
from benchmarks.embedding.intervals import Sampled
from benchmarks.embedding.results import Results
from benchmarks.embedding.robustness import KINDS, UNDAMAGED
from benchmarks.results import Figure
from lookalike.catalog.products import DUPLICATES, load_catalogue

KNOWN_ITEM = 0.95
DAMAGE_GOALS = {"scribble": 0.90, "jpeg": 0.90, "crop": 0.80}
"""Least share of the undamaged recall@1 that must remain."""

SUBJECTS = (ROBUST, MAIN)
"""Arms whose abilities are told; a checkpoint from outside the experiment goes before them. What a model can do is
asked of the best one there is, on whatever budget, unlike what a way of training is worth."""

HEADS = ("type", "colour", "gender")
FROZEN_BESIDE = "frozen"


def robustness_figures(hits: Results) -> dict[str, Figure]:
    """`known_item_recall_at_1` and, as shares of it, `damage_<kind>` of every model that was asked.

    The first one's stand under these keys, the others' behind their name.
    """
    figures = {}
    for arm, prefix in ((arm, key_prefix(arm, hits)) for arm in hits.arms):
        undamaged = hits.mean(arm, UNDAMAGED)
        has_goal = arm != FROZEN_BESIDE
        how = (
            f"{arm}: other photos of test products, undamaged, against the photos of all products; the own product or "
            f"a known duplicate listing of it comes first; {hits.seeds(arm)} run(s); {METHOD}"
        )
        goal, met = (f">= {KNOWN_ITEM}", undamaged.value >= KNOWN_ITEM) if has_goal else ("", None)
        figures[f"{prefix}known_item_recall_at_1"] = figure(undamaged, how, goal, met)
        for kind in KINDS[1:]:
            figures[f"{prefix}damage_{kind}"] = _damage(hits, arm, kind, undamaged, has_goal)
    return figures


def key_prefix(arm: str, results: Results) -> str:
    """What stands before the keys of a model's figures."""
    return "" if arm == results.arms[0] else f"{arm}_"


def _damage(hits: Results, arm: str, kind: str, undamaged: Sampled, has_goal: bool) -> Figure:
    damaged = hits.mean(arm, kind)
    ratio, least = damaged.over(undamaged), DAMAGE_GOALS.get(kind) if has_goal else None
    how = (
        f"{arm}: recall@1 {damaged.value:.3f} of photos damaged by {kind}, severity 3 of 5, over {undamaged.value:.3f} "
        f"undamaged, the same photos and gallery; {hits.seeds(arm)} run(s); {METHOD}"
    )
    goal, met = ("", None) if least is None else (f">= {least:.2f}", ratio.value >= least)
    return figure(ratio, how, goal, met, "ratio")


def head_figures(test: Results, validated: Path) -> dict[str, Figure]:
    """`macro_f1_<attribute>` of the heads and `macro_f1_ceiling_<attribute>`, what label noise leaves to reach."""
    figures = {}
    for name in [name for name in HEADS if f"is_{name}" in test.tables[test.arms[0]][0]]:
        for arm in test.arms:
            how = f"{arm}: the {name} head on catalogue photos, test split, {test.seeds(arm)} run(s); {METHOD}"
            figures[f"{key_prefix(arm, test)}macro_f1_{name}"] = figure(test.macro_f1(arm, name), how)
        figures[f"macro_f1_ceiling_{name}"] = _ceiling_figure(name, _ceiling(name, test, validated))
    return figures


def _ceiling(name: str, test: Results, validated: Path) -> Ceiling | None:
    catalogue = load_catalogue(validated)
    labels = catalogue.attribute_codes()[:, catalogue.attributes.index(name)].astype("int64")
    groups = pd.read_parquet(validated / DUPLICATES).set_index("product_id")["group_id"]
    named = catalogue.products["product_id"].map(groups)
    shown = named.notna().to_numpy()
    return macro_f1_ceiling(
        labels[shown], pd.factorize(named[shown])[0].astype("int64"), test.classes(name), repeats=1_000, seed=0
    )


def _ceiling_figure(name: str, ceiling: Ceiling | None) -> Figure:
    command = "make bench-embedding"
    if ceiling is None:
        how = f"no two listings of one picture have a known {name}, so nothing is known about the noise of its labels"
        return Figure(None, "share", how, command)
    how = (
        f"estimated best macro-F1 of a perfect reader of photos: the mean over {name} values of the square root of the "
        f"agreement between listings of the same picture ({ceiling.agreement:.3f} over all values); pictures grouped "
        "wrongly lower it, so it errs on the strict side; 95 % interval over resampled picture groups"
    )
    return Figure(ceiling.value, "share", how, command, interval=ceiling.interval, n=ceiling.listings)
