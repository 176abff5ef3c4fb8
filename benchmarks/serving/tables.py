"""The tables of the results page, made from the committed numbers and set between markers in its prose."""

from benchmarks.pages import Details, Figures, Tables, goals_table, how_list, others_table, table, without

ELSEWHERE = ("category_", "fusion_")
"""Figures of the same subject that other pages tell about; those with a goal stand here too."""


def _goals(figures: Figures, details: Details) -> str:
    return goals_table(figures)


def _others(figures: Figures, details: Details) -> str:
    return others_table(without(figures, ELSEWHERE))


def _how(figures: Figures, details: Details) -> str:
    return how_list({key: told for key, told in figures.items() if told["goal"] or not key.startswith(ELSEWHERE)})


def _legs(figures: Figures, details: Details) -> str:
    """What every leg takes in the floor and what the service adds to it."""
    found = details.get("overhead", {})
    names = list(dict.fromkeys(name for told in found.values() for name in (*told["floor_ms"], *told["added_ms"])))
    rows = []
    for name in names:
        row = [name]
        for told in found.values():
            row += [_ms(told["floor_ms"].get(name)), _ms(told["added_ms"].get(name))]
        rows.append(row)
    total = ["p50"]
    for told in found.values():
        total += [_ms(told["floor_p50_ms"]), _ms(told["service_p50_ms"] - told["floor_p50_ms"])]
    heads = [head for key in found for head in (f"floor of `{key}`", "added")]
    return table(["ms", *heads], [*rows, total] if rows else [])


def _faults(figures: Figures, details: Details) -> str:
    found = details.get("soak", {}).get("faults", {})
    outcomes = ("good", "degraded", "failed", "wrong")
    rows = [
        [name, told["struck"], *(told.get(outcome, 0) for outcome in outcomes), f"{told['recovery_s']:.2f}"]
        for name, told in found.items()
    ]
    return table(["fault", "times", *outcomes, "slowest recovery, s"], rows)


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


TABLES: Tables = {"goals": _goals, "others": _others, "how": _how, "legs": _legs, "faults": _faults}
