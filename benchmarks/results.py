"""The figures of a subject, kept as JSON: `benchmarks/results/<subject>.json`.

Scripts that measure different claims of one subject add to the same file, each figure under its own key.
"""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lookalike.storage import read_json, write_json

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured number, with everything a reader needs to believe it or to repeat it."""

    value: float | None
    """None where it could not be measured; `how` says why."""
    unit: str
    """`ratio`, `share`, `minutes`, `GiB`, ..."""
    how: str
    """Data, split, seeds and method in a sentence; for a missed goal also what limits it."""
    command: str
    """What reproduces it."""
    goal: str = ""
    """As agreed, for example `>= 0.9`; empty where the figure only informs."""
    met: bool | None = None
    """Whether the goal is reached; None without one."""
    interval: tuple[float, float] | None = None
    """95 % interval."""
    n: int | None = None
    """Queries, products or repeats behind it."""


def record(subject: str, figures: Mapping[str, Figure], folder: Path = RESULTS) -> Path:
    """Add figures to the subject's file, replacing those of the same key, and print them."""
    path = folder / f"{subject}.json"
    known = read_json(path)["figures"] if path.is_file() else {}
    stamp = {"date": datetime.now(UTC).date().isoformat(), "commit": _commit(), "machine": _machine()}
    known |= {key: {**asdict(figure), **stamp} for key, figure in figures.items()}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, {"subject": subject, "figures": dict(sorted(known.items()))})
    Console().print(_table(subject, figures))
    return path


def _table(subject: str, figures: Mapping[str, Figure]) -> Table:
    table = Table("figure", "value", "unit", "95 % interval", "goal", "met", "n", title=subject)
    for key, figure in figures.items():
        interval = "" if figure.interval is None else "{:.3f} to {:.3f}".format(*figure.interval)
        value = "not measured" if figure.value is None else f"{figure.value:.4g}"
        met = {None: "", True: "yes", False: "no"}[figure.met]
        table.add_row(key, value, figure.unit, interval, figure.goal, met, str(figure.n or ""))
    return table


def _commit() -> str:
    answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "machine": platform.machine(), "system": platform.system()}
