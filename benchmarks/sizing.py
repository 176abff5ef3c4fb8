"""Bring the constants of `lookalike sizing` up to the committed results, and the tables of docs/sizing.md with them.

`python -m benchmarks.sizing` after anything was measured anew; it measures nothing itself.
"""

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from app.sizing.constants import FILE, Constants, Stated, constants, stated
from app.sizing.shop import Shop
from app.sizing.tables import TABLES, Table
from benchmarks.pages import Details, Figures, fill
from benchmarks.results import RESULTS
from lookalike.index.faiss_settings import BinarySettings
from lookalike.index.structure_bytes import structure_bytes
from lookalike.storage import read_json

PAGE = Path(__file__).parents[1] / "docs" / "sizing.md"
SIZES = (10**6, 10**7, 10**8, 10**9)
AT = 1_000_000
MIB = 1024

Measured = tuple[float, str]
"""A value and where it comes from."""


def figure(subject: str, key: str, field: str = "value") -> Measured:
    """A committed figure, or its `n`."""
    value = read_json(RESULTS / f"{subject}.json")["figures"][key][field]
    return float(value), f"`{key}`{'' if field == 'value' else f', its {field}'} in {subject}.json"


def said(subject: str, key: str, pattern: str) -> Measured:
    """A number that stands in the sentence beside a figure."""
    how = read_json(RESULTS / f"{subject}.json")["figures"][key]["how"]
    found = re.search(pattern, how)
    if found is None:
        raise ValueError(f"{key} in {subject}.json does not say {pattern!r}: {how}")
    return float(found[1].replace(",", "")), f"`{key}` in {subject}.json, what it says beside its value"


def alone(kind: str, setting: int) -> Measured:
    """Queries a second of a structure alone, at the largest size."""
    points = read_json(RESULTS / "index_details.json")["speed"]["points"]
    point = next(p for p in points if (p["size"], p["kind"], p["value"]) == (AT, kind, setting))
    how = f"{kind} with {point['setting']} {setting}: recall {point['recall']:.3f}"
    return point["per_second"], f"index_details.json, {how}"


def beside() -> Measured:
    """Memory beside the codes: the largest of what was measured, less the formula."""
    value, source = figure("index", "bytes_per_photo_binary")
    codes = structure_bytes(BinarySettings(bits=256), 128)
    return value - codes, f"{source}, less the {codes:g} of the codes"


def served() -> Measured:
    """Of one of the two cores that served, the clients on them, too."""
    value, source = said("serving", "query_p99_ms_1m", r"([\d,]+)/s")
    return value / 2, f"{source}, over 2 cores that the clients shared"


def service() -> Measured:
    value, source = said("serving", "soak_memory_slope", r"median ([\d,]+) MiB")
    return value / MIB, source


MEASURED: dict[str, Callable[[], Measured]] = {
    "embedded_per_second": lambda: figure("index", "scale_out_embedded_per_second"),
    "stored_per_second": lambda: figure("index", "scale_out_stored_per_second"),
    "stored_photos": lambda: said("index", "scale_out_stored_per_second", r"([\d,]+) photos"),
    "imported_per_second": lambda: figure("index", "bulk_imported_per_second"),
    "filled_per_second": lambda: figure("cluster", "feast_filled_per_second_grown"),
    "redis_bytes": lambda: figure("cluster", "feast_redis_bytes_per_product_grown"),
    "beside_bytes": beside,
    "searched_photos": lambda: said("serving", "query_p99_ms_1m", r"([\d,]+) products"),
    "served_per_second": served,
    "hnsw_per_second": lambda: alone("hnsw", 48),
    "ivf_pq_per_second": lambda: alone("ivf_pq", 64),
    "binary_per_second": lambda: alone("binary", 1000),
    "service_gib": service,
}


def measured() -> dict[str, Stated]:
    """The measured constants as the committed results have them, four digits of what is no count."""
    made = {name: read() for name, read in MEASURED.items()}
    return {name: Stated(value=_short(value), kind="measured", source=source) for name, (value, source) in made.items()}


def _short(value: float) -> float:
    return value if value.is_integer() else float(f"{value:.4g}")


def page(text: str, given: Constants) -> str:
    """The page with its tables made anew."""
    shops = [Shop(size) for size in SIZES]
    return fill(text, {}, {}, {name: _filled(made, shops, given) for name, made in TABLES.items()})


def _filled(made: Table, shops: Sequence[Shop], given: Constants) -> Callable[[Figures, Details], str]:
    """A table that looks at nothing but its own numbers."""
    return lambda figures, details: made(shops, given)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    told: dict[str, Any] = {name: each.model_dump() for name, each in (stated() | measured()).items()}
    FILE.write_text(yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), constants({})), encoding="utf-8")


if __name__ == "__main__":
    main()
