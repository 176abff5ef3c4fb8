"""The tables of the results page, made from the committed numbers and set between markers in its prose."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.embedding.arms import ARMS, RATES
from benchmarks.pages import Details, Figures, Tables, table

LABELS = {
    "hidden_30": "30 % of labels hidden",
    "hidden_60": "60 % of labels hidden",
    "with_titles": "more labels from titles",
}


def _goals(figures: Figures, details: Details) -> str:
    rows = []
    for key, figure in figures.items():
        if figure["goal"]:
            interval = _span(figure["interval"])
            met = "yes" if figure["met"] else "**no**"
            rows.append([f"`{key}`", _number(figure["value"]), interval, figure["goal"], met, figure["n"]])
    return table(["figure", "value", "95 % interval", "goal", "met", "n"], rows)


def _arms(figures: Figures, details: Details) -> str:
    ranked = sorted(details["arms"], key=lambda arm: -_value(details, arm, "test", "fine_precision_at_4"))
    rows = []
    for arm in ranked:
        fine = details["arms"][arm]["test"]["fine_precision_at_4"]
        beside = [
            _number(_value(details, arm, split, metric))
            for split, metric in (
                ("test", "fine_precision_at_1"),
                ("test", "coarse_precision_at_4"),
                ("test", "ndcg_at_10"),
                ("validation", "fine_precision_at_4"),
            )
        ]
        rows.append(
            [f"`{arm}`", learns(arm), _number(fine[0]), _span(fine[1:]), *beside, details["arms"][arm]["seeds"]]
        )
    names = [
        "arm",
        "learns from",
        "fine P@4",
        "95 % interval",
        "fine P@1",
        "coarse P@4",
        "nDCG@10",
        "fine P@4, validation",
    ]
    return table([*names, "seeds"], rows)


def learns(arm: str) -> str:
    """What an arm is trained with, in words."""
    if arm not in ARMS:
        return "nothing: untrained"
    chosen = ARMS[arm]
    tasks = [name for name, weight in chosen.tasks.model_dump().items() if weight and name != "kl"]
    classes = ", ".join(chosen.ranking.attributes) or "the fine attributes"
    said = {"label_ranking": f"{chosen.ranking.loss} over {classes}"}
    words = [" + ".join(said.get(name, name) for name in tasks)]
    words += ["one attribute per triplet"] if chosen.scheme == "single_attribute" else []
    words += ["hard negatives half-way"] if chosen.hard else []
    words += ["learnt task weights"] if chosen.weighting == "uncertainty" else []
    words += [LABELS[chosen.labels]] if chosen.labels != "all" else []
    return ", ".join(words).replace("_", " ")


def _attributes(figures: Figures, details: Details) -> str:
    return _metric_table(details, re.compile(r"attribute_(\w+)_precision_at_4"), "{}")


def _levels(figures: Figures, details: Details) -> str:
    return _metric_table(details, re.compile(r"level_(\d)_at_4"), "level {}")


def _metric_table(details: Details, pattern: re.Pattern[str], heading: str) -> str:
    metrics = [name for name in next(iter(details["arms"].values()))["test"] if pattern.fullmatch(name)]
    names = [heading.format(found[1]) for name in metrics if (found := pattern.fullmatch(name))]
    rows = [
        [f"`{arm}`", *(_number(values["test"][name][0]) for name in metrics)] for arm, values in details["arms"].items()
    ]
    return table(["arm", *names], rows)


def _damages(figures: Figures, details: Details) -> str:
    prefixes = _prefixes(figures, "known_item_recall_at_1")
    kinds = [key for key in figures if key.startswith("damage_")]
    rows = []
    for key in ("known_item_recall_at_1", *kinds):
        cells = [_with_span(figures[prefix + key]) for prefix in prefixes]
        rows.append([f"`{key}`", *cells, figures[key]["goal"]])
    subjects = [_subject(figures[f"{prefix}known_item_recall_at_1"]) for prefix in prefixes]
    return table(["figure", *subjects, "goal"], rows)


def _heads(figures: Figures, details: Details) -> str:
    names = [key.removeprefix("macro_f1_ceiling_") for key in figures if key.startswith("macro_f1_ceiling_")]
    prefixes = _prefixes(figures, f"macro_f1_{names[0]}") if names else []
    rows = [
        [
            name,
            *(_with_span(figures[f"{prefix}macro_f1_{name}"]) for prefix in prefixes),
            _with_span(figures[f"macro_f1_ceiling_{name}"]),
        ]
        for name in names
    ]
    subjects = [_subject(figures[f"{prefix}macro_f1_{names[0]}"]) for prefix in prefixes]
    return table(["attribute", *subjects, "ceiling by label noise"], rows)


def _prefixes(figures: Figures, key: str) -> list[str]:
    """What stands before a key of every model that has the figure, the best one's nothing first."""
    return sorted((name.removesuffix(key) for name in figures if name.endswith(key)), key=len)


def _subject(figure: Mapping[str, Any]) -> str:
    """The model a figure is of; its `how` begins with it."""
    return f"`{figure['how'].split(':')[0]}`"


def _sweep(figures: Figures, details: Details) -> str:
    rows = []
    for arm, tried in details["sweep"].items():
        cells = [_number(tried.get(f"{rate:g}")) for rate in RATES]
        rows.append([f"`{arm}`", *cells, f"{ARMS[arm].learning_rate:g}"])
    return table(["arm", *(f"{rate:g}" for rate in RATES), "used"], rows)


TABLES: Tables = {
    "goals": _goals,
    "arms": _arms,
    "sweep": _sweep,
    "attributes": _attributes,
    "levels": _levels,
    "damages": _damages,
    "heads": _heads,
}


def _value(details: Details, arm: str, split: str, metric: str) -> float:
    return float(details["arms"][arm][split][metric][0] or 0)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _span(interval: Sequence[float] | None) -> str:
    return "" if interval is None or interval[0] is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _with_span(figure: Mapping[str, Any]) -> str:
    span = _span(figure["interval"])
    return _number(figure["value"]) + (f" ({span})" if span else "")
