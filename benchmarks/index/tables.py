"""The tables of the results page, made from the committed numbers and set between markers in its prose."""

from collections.abc import Sequence

from benchmarks.index.weights import EXTRAPOLATED
from benchmarks.pages import NOT_YET, Details, Figures, Tables, table

ELSEWHERE = ("narrowing_", "colour_rerank_", "scale_out_", "bulk_")
"""Figures of the same subject that other pages show."""
GIB = 2**30


def _goals(figures: Figures, details: Details) -> str:
    rows = []
    for key, figure in figures.items():
        if figure["goal"] and not key.startswith(ELSEWHERE):
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
    told = [f"- `{key}`: {f['how']}." for key, f in figures.items() if f["goal"] and not key.startswith(ELSEWHERE)]
    return "\n".join(told) or NOT_YET


def _curves(figures: Figures, details: Details) -> str:
    points = details.get("speed", {}).get("points", [])
    rows = [
        [f"{p['size']:,}", p["kind"], f"{p['setting']} {p['value']}", f"{p['recall']:.4f}", f"{p['per_second']:,.0f}"]
        for p in points
    ]
    return table(["vectors", "structure", "setting", "recall@10", "queries/s"], rows)


def _filters(figures: Figures, details: Details) -> str:
    found = details.get("filters", {}).get("found", [])
    rows = [
        [
            f"{each['size']:,}",
            each["kind"],
            each["filter"],
            f"{100 * each['share']:.2g}",
            f"{each['recall']:.4f}",
            f"{each['p50_ms']:.2f}",
            f"{each['first_ms']:.1f}",
            f"{each['ratio']:.2f}",
        ]
        for each in found
        if each["filter"] != "none"
    ]
    return table(
        ["vectors", "structure", "filter", "% passing", "recall@10", "p50 ms", "first ms", "p50 over no filter"], rows
    )


def _weights(figures: Figures, details: Details) -> str:
    weights = details.get("weights", {}).get("weights", [])
    rows = [
        [
            f"{w['size']:,}",
            w["kind"],
            f"{w['formula_bytes']:.1f}",
            f"{w['structure_bytes']:.1f}",
            f"{w['memory_bytes']:.0f}",
        ]
        for w in weights
    ]
    return table(["photos", "structure", "formula", "structure's file", "private memory"], rows)


def _sizing(figures: Figures, details: Details) -> str:
    """GiB at sizes nobody measured: the formula, and beside it what a process held at the largest that was."""
    told = details.get("weights", {})
    weights = sorted(told.get("weights", []), key=lambda weight: weight["size"])
    rows = []
    for size in EXTRAPOLATED:
        for kind, weight in {weight["kind"]: weight for weight in weights}.items():  # the largest of each
            scanned = weight["formula_bytes"]
            private = scanned + weight["memory_bytes"] - weight["structure_bytes"]
            rows.append(
                [f"{size:,}", kind, *(f"{size * each / GIB:,.1f}" for each in (scanned, private, told["mapped"]))]
            )
    return table(["photos", "structure", "scanned GiB", "private GiB", "mapped GiB"], rows)


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"


def _span(interval: Sequence[float] | None) -> str:
    return "" if interval is None else " to ".join(_number(value) for value in interval)


TABLES: Tables = {
    "goals": _goals,
    "others": _others,
    "how": _how,
    "curves": _curves,
    "filters": _filters,
    "weights": _weights,
    "sizing": _sizing,
}
