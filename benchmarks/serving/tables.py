"""The tables of the results page, made from the committed numbers and set between markers in its prose."""

from collections.abc import Sequence

from benchmarks.pages import NOT_YET, Details, Figures, Tables, table

ELSEWHERE = ("category_", "fusion_")
"""Figures of the same subject that other pages tell about; those with a goal stand here too."""


def _goals(figures: Figures, details: Details) -> str:
    rows = []
    for key, figure in figures.items():
        if figure["goal"]:
            met = "yes" if figure["met"] else "**no**"
            rows.append(
                [f"`{key}`", _number(figure["value"]), _span(figure["interval"]), figure["goal"], met, figure["n"]]
            )
    return table(["figure", "value", "interval", "goal", "met", "n"], rows)


def _others(figures: Figures, details: Details) -> str:
    rows = [
        [f"`{key}`", _number(figure["value"]), figure["unit"], _span(figure["interval"]), figure["n"]]
        for key, figure in figures.items()
        if not figure["goal"] and not key.startswith(ELSEWHERE)
    ]
    return table(["figure", "value", "unit", "interval", "n"], rows)


def _how(figures: Figures, details: Details) -> str:
    told = {key: figure["how"] for key, figure in figures.items() if figure["goal"] or not key.startswith(ELSEWHERE)}
    return "\n".join(f"- `{key}`: {how}." for key, how in told.items()) or NOT_YET


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


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _span(interval: Sequence[float] | None) -> str:
    return "" if interval is None else " to ".join(_number(value) for value in interval)


TABLES: Tables = {"goals": _goals, "others": _others, "how": _how, "legs": _legs, "faults": _faults}
