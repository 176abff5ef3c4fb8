"""Select: measure the ways to search one's own vectors, and write down the cheapest that holds what was asked."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError
from lookalike.index.faiss import SETTINGS
from lookalike.selection.candidates import EXACT_ROWS, candidates
from lookalike.selection.choice import GIB, Choice, Limits, choose, memory_gib
from lookalike.selection.growth import Study, prepare
from lookalike.selection.measure import SweepSettings
from lookalike.selection.plot import draw_pareto
from lookalike.selection.report import render_report
from lookalike.selection.scratch import Clock, sweep_folder
from lookalike.selection.sources import Source, read_source
from lookalike.selection.sweep import study_digest, sweep
from lookalike.storage import StageRecord, run_stage, write_json

MEASUREMENTS = "measurements.parquet"
CHOICE = "choice.json"
PLOT = "pareto.png"
REPORT = "report.md"
COPIES = 4
"""Times the vectors are in memory while a collection is built: given, stored, mapped, and inside the structure."""


class SelectSettings(StrictConfig):
    """How candidates are tried."""

    queries: int = Field(default=1_000, ge=1)
    """Products held out and searched for, at most a tenth of all."""
    quick: bool = False
    """Try one or two candidates of each kind, with fewer queries and timings."""
    exact_rows: int = Field(default=EXACT_ROWS, ge=0)
    """The chosen settings' own: a search that at most this many photos can answer compares with each of them."""
    seed: int = 0
    """Which products are held out, sampled or grown."""
    measure: SweepSettings = SweepSettings()
    """How each candidate is measured; `updates` are those of a day."""


QUICK = {"queries": 200, "measure": SweepSettings(samples=200, upsert_batches=2)}


def select_index(
    vectors: Path,
    output: Path,
    limits: Limits,
    settings: SelectSettings | None = None,
    validated: Path | None = None,
    clock: Clock = time.perf_counter,
) -> StageRecord:
    """Sweep candidates over the user's vectors and choose.

    Writes `measurements.parquet`, `choice.json`, `pareto.png`, `report.md` and, where a candidate meets every limit,
    its `settings.json` as a faiss folder reads it. A sweep that was killed goes on with the candidate it was at: its
    measurements wait in a hidden folder beside the output. Raises ConfigError where this machine is too small.
    """
    settings = settings or SelectSettings()
    if settings.quick:
        settings = settings.model_copy(update=QUICK)
    source = read_source(vectors, validated)
    _require_room(source, limits.products)
    return run_stage(
        "select",
        output,
        inputs={},
        settings={"source": _digest(source), "limits": limits.model_dump(), **settings.model_dump()},
        content=[MEASUREMENTS, CHOICE],
        work=lambda folder: _select(source, output, folder, limits, settings, clock),
    )


def _select(
    source: Source, output: Path, folder: Path, limits: Limits, settings: SelectSettings, clock: Clock
) -> dict[str, Any]:
    study = prepare(source, limits.products, settings.queries, settings.seed)
    scratch = sweep_folder(output)
    tried = candidates(len(study.vectors), study.vectors.shape[1], settings.quick, settings.exact_rows, settings.seed)
    measure = settings.measure.model_copy(update={"updates": 24 * limits.updates_per_hour})
    table = sweep(
        study.vectors, study.queries, tried, scratch=scratch, settings=measure, labels=study.labels, clock=clock
    )
    choice = choose(table, limits)
    table.to_parquet(folder / MEASUREMENTS, index=False)
    write_json(folder / CHOICE, choice.as_json(limits))
    if choice.settings is not None:
        write_json(folder / SETTINGS, choice.settings)
    draw_pareto(table, folder / PLOT, choice.chosen, limits.recall)
    (folder / REPORT).write_text(render_report(table, choice, limits, study.how, PLOT), encoding="utf-8")
    shutil.rmtree(scratch)
    return _figures(table.set_index("name").loc[choice.nearest], choice, study, limits)


def _figures(row: Any, choice: Choice, study: Study, limits: Limits) -> dict[str, Any]:
    return {
        "chosen": choice.chosen or "none",
        "recall": float(row["recall"]),
        "p99_ms": float(row["updating_p99_ms"]),
        "queries_per_second": float(row["queries_per_second"]),
        "memory_gib": memory_gib(row, limits),
        "photos": len(study.vectors),
        "nearest": choice.nearest,
        "reasons": list(choice.reasons),
    }


def _digest(source: Source) -> str:
    return study_digest([source.vectors, *(() if source.codes is None else (source.codes,))], source.products.tolist())


def _require_room(source: Source, products: int) -> None:
    """Raise ConfigError where building a collection of that many would not fit into this machine's memory."""
    photo = COPIES * source.vectors.shape[1] * 4 * source.photos_per_product
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if products * photo > memory:
        raise ConfigError(
            f"measuring {products:,} products of {source.vectors.shape[1]} dimensions takes about "
            f"{products * photo / GIB:.0f} GiB, and this machine has {memory / GIB:.0f}; at most "
            f"{int(memory // photo):,} products are accepted here"
        )
