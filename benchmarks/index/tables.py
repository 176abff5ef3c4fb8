"""The tables of the results page, made from the committed numbers and set between markers in its prose."""

from benchmarks.index.weights import EXTRAPOLATED
from benchmarks.pages import Details, Figures, Tables, goals_table, how_list, others_table, table, without

ELSEWHERE = ("narrowing_", "colour_rerank_", "scale_out_", "bulk_")
"""Figures of the same subject that other pages show."""
GIB = 2**30


def _goals(figures: Figures, details: Details) -> str:
    return goals_table(without(figures, ELSEWHERE))


def _others(figures: Figures, details: Details) -> str:
    return others_table(without(figures, ELSEWHERE))


def _how(figures: Figures, details: Details) -> str:
    return how_list({key: told for key, told in without(figures, ELSEWHERE).items() if told["goal"]})


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


TABLES: Tables = {
    "goals": _goals,
    "others": _others,
    "how": _how,
    "curves": _curves,
    "filters": _filters,
    "weights": _weights,
    "sizing": _sizing,
}
