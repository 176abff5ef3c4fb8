"""Everything an evaluation leaves in its folder, for any embedders behind the protocol."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.catalog.products import Catalogue
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.category import calibrate, with_category
from lookalike.evaluation.contact_sheet import downscaled_png, draw_sheet, products_on_sheet, sheet_rows
from lookalike.evaluation.diagnostics import diagnostics
from lookalike.evaluation.drift_reference import reference_table
from lookalike.evaluation.embedding import embed_photos
from lookalike.evaluation.figures import (
    COARSE,
    FINE,
    RECALL,
    Figure,
    differences,
    find_figure,
    model_figures,
    ratios,
)
from lookalike.evaluation.gate import CLEAN, Evidence, Promotion, decide_promotion
from lookalike.evaluation.illustrations import illustrate
from lookalike.evaluation.measure import Evaluation, evaluate_embedder
from lookalike.evaluation.queries import (
    CATALOGUE,
    DAMAGED,
    build_queries,
    damaged_photos,
    distractor_photos,
    gallery_photos,
)
from lookalike.evaluation.report import render_report
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.evaluation.verdict import verdict_markdown
from lookalike.fusion import FUSION, Fusion
from lookalike.storage import write_json

log = logging.getLogger(__name__)

REPORT = "report.json"
PAGE = "report.html"
SHEET = "contact_sheet.png"
REFERENCE = "reference.parquet"
REFERENCE_PRODUCTS = "reference_products.parquet"
"""Whose photo each row of the reference was made from; with it a product can be erased."""
SHOWN_PRODUCTS = "shown_products.parquet"
"""Products on the contact sheet."""
PROMOTION = "promotion.json"
DIAGNOSTICS = "diagnostics.json"
"""Confusions of a head and the cosine's receiver operating characteristic, as pipelines draw them."""
VERDICT = "verdict.md"

CALIBRATION = "validation"
"""Split whose damaged photos set the weights of category fusion; never the one that is measured."""

SHEET_WIDTH = 640
"""Pixels of the contact sheet inside the page."""


def write_evaluation(
    catalogue: Catalogue,
    splits: Path,
    embedders: Mapping[str, Embedder],
    folder: Path,
    settings: EvaluationSettings,
    training_metrics: Path | None = None,
    evidence: Callable[[Truth], Evidence] = lambda truth: CLEAN,
) -> dict[str, Any]:
    """Measure the embedders and fill the output folder; returns the stage's figures.

    `embedders` has a `challenger`, perhaps a `champion` and a `baseline`; `evidence` is what else is known of them.
    """
    truth = read_truth(catalogue, splits)
    models = _evaluate_all(catalogue, truth, embedders, settings)
    fusion = _calibrated(catalogue, truth, embedders["challenger"], models["challenger"], settings)
    if fusion is not None:
        models["challenger"] = with_category(models["challenger"], fusion, truth, (CATALOGUE, DAMAGED))
        write_json(folder / FUSION, fusion.model_dump(mode="json"))
    figures = _all_figures(models, truth, settings)
    others = (models.get("champion"), truth, settings.gate, models.get("baseline"))
    promotion = decide_promotion(models["challenger"], *others, evidence(truth))
    damaged = models["challenger"].sets[DAMAGED]
    sheet = draw_sheet(sheet_rows(catalogue, damaged, truth, settings.sheet_rows))
    plots = illustrate(models, figures, truth, training_metrics)
    page = render_report(models, figures, promotion, plots, downscaled_png(sheet, SHEET_WIDTH), settings)

    write_json(folder / REPORT, _report(models, figures, settings))
    write_json(folder / PROMOTION, asdict(promotion))
    write_json(folder / DIAGNOSTICS, diagnostics(models["challenger"], truth))
    (folder / VERDICT).write_text(_verdict(models, promotion), encoding="utf-8")
    pq.write_table(reference_table(damaged, models["challenger"].identity), folder / REFERENCE)
    ids = catalogue.products["product_id"]
    _write_ids(folder / REFERENCE_PRODUCTS, ids, damaged.queries.photos.products)
    _write_ids(folder / SHOWN_PRODUCTS, ids, products_on_sheet(damaged, settings.sheet_rows))
    sheet.save(folder / SHEET)
    (folder / PAGE).write_text(page, encoding="utf-8")
    return _key_figures(figures, promotion, models)


def _verdict(models: Mapping[str, Evaluation], promotion: Promotion) -> str:
    prints = {name: model.identity.fingerprint for name, model in models.items()}
    return verdict_markdown(promotion, prints.pop("challenger"), prints)


def _write_ids(path: Path, ids: "pd.Series[str]", rows: NDArray[np.int64]) -> None:
    pq.write_table(pa.table({"product_id": pa.array(ids.iloc[rows], pa.string())}), path)


def _evaluate_all(
    catalogue: Catalogue, truth: Truth, embedders: Mapping[str, Embedder], settings: EvaluationSettings
) -> dict[str, Evaluation]:
    queries = build_queries(catalogue, truth, settings)
    gallery = gallery_photos(catalogue, truth.rows(settings.split))
    distractors = distractor_photos(catalogue, truth, settings)
    return {
        name: evaluate_embedder(
            embedder, truth, queries, gallery, settings, distractors if name == "challenger" else None
        )
        for name, embedder in embedders.items()
    }


def _calibrated(
    catalogue: Catalogue, truth: Truth, embedder: Embedder, measured: Evaluation, settings: EvaluationSettings
) -> Fusion | None:
    """The weights of category fusion, without a look at the measured split; None where nothing else is left."""
    unseen = measured.gallery.keep(truth.splits[measured.gallery.products] != settings.split)
    if settings.split == CALIBRATION or (truth.splits == CALIBRATION).sum() < 2 or not len(unseen.products):
        log.warning("Category fusion is not calibrated: it needs a validation split and photos outside the test split.")
        return None
    photos = damaged_photos(catalogue, truth.rows(CALIBRATION), settings)
    asked = embed_photos(embedder, photos.contents, settings.batch, "embedding validation queries")
    return calibrate(embedder.identity, truth, photos.products, asked, unseen)


def _all_figures(models: Mapping[str, Evaluation], truth: Truth, settings: EvaluationSettings) -> list[Figure]:
    challenger = models["challenger"]
    figures = [figure for name, model in models.items() for figure in model_figures(name, model, truth, settings)]
    if "champion" in models:
        figures += differences(challenger, models["champion"], "champion", truth, settings)
    if "baseline" in models:
        figures += ratios(challenger, models["baseline"], "baseline", truth, settings)
    return figures


def _report(models: Mapping[str, Evaluation], figures: list[Figure], settings: EvaluationSettings) -> dict[str, Any]:
    challenger = models["challenger"]
    return {
        "models": {name: model.identity.fingerprint for name, model in models.items()},
        "gallery_photos": challenger.gallery_photos,
        "all_photos": challenger.all_photos,
        "settings": settings.model_dump(),
        "figures": [figure.as_json() for figure in figures],
    }


def _key_figures(figures: list[Figure], promotion: Promotion, models: Mapping[str, Evaluation]) -> dict[str, Any]:
    """Headline numbers for tables and the pipeline's metrics."""
    named = ((CATALOGUE, FINE), (CATALOGUE, COARSE), (DAMAGED, RECALL))
    values: dict[str, Any] = {
        f"{subject}_{metric}": find_figure(figures, subject, queries, metric).value
        for subject in models
        for queries, metric in named
    }
    return {**values, "promote": promotion.promote, "reasons": list(promotion.reasons)}
