"""What the gate is told beside the frozen queries: leaks, recent traffic, speed and size, alarms."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lookalike.catalog.products import Catalogue
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.cost import Served, compare_costs
from lookalike.evaluation.delivery import delivery_alarms
from lookalike.evaluation.gate import Evidence
from lookalike.evaluation.leakage import leaks_of
from lookalike.evaluation.recent import RecentComparison, compare_recent, read_alarms, read_recent, similarities_of
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth


@dataclass(frozen=True)
class Known:
    """Where the evidence lies."""

    checkpoint: Path
    """The challenger."""
    champion: Path | None = None
    """Model folder of the release in service."""
    exported: Path | None = None
    """Model folder of the challenger."""
    recent: Path | None = None
    """Feedback as `collect_feedback` leaves it."""
    alarms: tuple[str, ...] = ()
    """What others found against the challenger's data."""


def gather_evidence(
    known: Known,
    catalogue: Catalogue,
    embedders: Mapping[str, Embedder],
    settings: EvaluationSettings,
    truth: Truth,
) -> Evidence:
    """Look for leaks, compare both models on recent traffic and the exported ones by what they cost."""
    rows = None if known.recent is None else _in_catalogue(read_recent(known.recent), catalogue)
    cost = None
    if known.exported is not None and known.champion is not None:
        both = (Served.of_folder(known.exported), Served.of_folder(known.champion))
        cost = compare_costs(*both, settings.gate.latency_rounds, settings.seed)
    return Evidence(
        leaks=leaks_of(known.checkpoint, catalogue, truth, settings.split, () if rows is None else rows["query"]),
        recent=_recent(rows, catalogue, embedders, settings) if rows is not None and "champion" in embedders else None,
        cost=cost,
        alarms=(
            *known.alarms,
            *(() if known.recent is None else read_alarms(known.recent)),
            *delivery_alarms(known.checkpoint, known.champion, catalogue, embedders, settings),
        ),
    )


def _recent(
    rows: pd.DataFrame, catalogue: Catalogue, embedders: Mapping[str, Embedder], settings: EvaluationSettings
) -> RecentComparison | None:
    if rows.empty:
        return None
    ours, theirs = (
        similarities_of(embedders[name], catalogue, rows, settings.batch) for name in ("challenger", "champion")
    )
    return compare_recent(rows, ours, theirs, settings.repeats, settings.confidence, settings.seed)


def _in_catalogue(rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Products that left the shop since have no photo to be ranked by."""
    known = catalogue.gallery_photos["product_id"]
    return rows[rows["query"].isin(known) & rows["product_id"].isin(known)]
