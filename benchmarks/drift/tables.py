"""The tables of the page on drift, made from the committed numbers."""

from collections.abc import Sequence

from benchmarks.drift.power import best
from benchmarks.drift.traffic import SHIFTS
from benchmarks.pages import NOT_YET, Details, Figures, Tables, table

MINE = ("false_alarm_", "power_", "delay_")
"""Figures of the same subject that this page shows."""
PAGE = "report_"
"""Figures of the watch's page, shown where the page is described."""
SHOWN_STREAMS = 4


def _goals(figures: Figures, details: Details) -> str:
    rows = [
        [
            f"`{key}`",
            _number(figure["value"]),
            _span(figure["interval"]),
            figure["goal"],
            _met(figure["met"]),
            figure["n"],
        ]
        for key, figure in figures.items()
        if key.startswith(MINE)
    ]
    return table(["figure", "value", "interval", "goal", "met", "n"], rows)


def _how(figures: Figures, details: Details) -> str:
    return "\n".join(f"- `{key}`: {f['how']}." for key, f in figures.items() if key.startswith(MINE)) or NOT_YET


def _page(figures: Figures, details: Details) -> str:
    rows = [
        [f"`{key}`", f"{_number(figure['value'])} {figure['unit']}", figure["goal"], _met(figure["met"]), figure["how"]]
        for key, figure in figures.items()
        if key.startswith(PAGE)
    ]
    return table(["figure", "value", "goal", "met", "how"], rows)


def _sizes(figures: Figures, details: Details) -> str:
    rows = [
        [f"{one['size']:,}", one["windows"], one["1pct"], one["5pct"]]
        for one in details.get("false_alarms", {}).get("by_size", [])
    ]
    return table(["queries per window", "windows", "alarms at 1 %", "alarms at 5 %"], rows)


def _methods(figures: Figures, details: Details) -> str:
    """Power at 5 % by method: the watch, Evidently's embedding methods and preset, its best single column."""
    told = details.get("power", {})
    if not told:
        return NOT_YET
    names = [name for name in told[SHIFTS[0]]["evidently"] if not name.startswith("column:")]
    ours = (told[shift]["found_beside"] / told[shift]["trials_beside"] for shift in SHIFTS)
    rows = [["**the watch**", *(_number(power) for power in ours)]]
    rows += [[f"Evidently: {name}", *(_number(told[shift]["evidently"][name]) for shift in SHIFTS)] for name in names]
    columns = [best(told[shift]["evidently"], columns=True) for shift in SHIFTS]
    rows.append(["its best single column, chosen afterwards", *(f"{p:.2g} ({n[7:]})" for n, p in columns)])
    return table(["method", *SHIFTS], rows)


def _defaults(figures: Figures, details: Details) -> str:
    """How often Evidently calls drift with the thresholds it comes with: without drift, then by shift."""
    told = details.get("power", {})
    if not told:
        return NOT_YET
    counts = {method: [clean] for method, (clean, _) in told[SHIFTS[0]]["defaults"].items()}
    for shift in SHIFTS:
        for method, (_, found) in told[shift]["defaults"].items():
            counts[method].append(found)
    of = told[SHIFTS[0]]["trials_beside"]
    rows = [[name, *(f"{count} of {of}" for count in each)] for name, each in counts.items()]
    return table(["Evidently's default", "without drift", *SHIFTS], rows)


def _streams(figures: Figures, details: Details) -> str:
    rows = []
    for shift, told in details.get("power", {}).items():
        found = sorted(told["streams"].items(), key=lambda item: -item[1])[:SHOWN_STREAMS]
        rows.append([shift, "; ".join(f"{name} {power:.2f}" for name, power in found)])
    return table(["shift", "streams that find most alone, at 5 %"], rows)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3g}"


def _span(interval: Sequence[float] | None) -> str:
    return "" if interval is None else " to ".join(_number(value) for value in interval)


def _met(met: bool | None) -> str:
    return {None: "", True: "yes", False: "**no**"}[met]


TABLES: Tables = {
    "page": _page,
    "goals": _goals,
    "how": _how,
    "sizes": _sizes,
    "methods": _methods,
    "defaults": _defaults,
    "streams": _streams,
}
