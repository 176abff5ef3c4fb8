"""Which precision is published, and what every rounded copy loses against the model it was made from."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from pydantic import Field

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.config import StrictConfig
from lookalike.embedders.model_folder import Precision
from lookalike.embedders.onnx import open_session
from lookalike.embedders.protocol import Embedder, Embeddings, ModelIdentity
from lookalike.embedders.tensors import PIXELS, answer, in_batches, output_names
from lookalike.errors import ExportError, ParityError
from lookalike.evaluation.bootstrap import Estimate, estimate_difference
from lookalike.evaluation.measure import Measured, evaluate_embedder
from lookalike.evaluation.queries import CATALOGUE, DAMAGED, QuerySet, damaged_photos, gallery_photos
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import read_truth
from lookalike.release.parity import neighbour_overlap
from lookalike.release.rounding import ROUNDED, round_model

PRECISION, RECALL = "fine_precision_at_4", "known_item_recall_at_10"
BATCH = 32


class VariantSettings(StrictConfig):
    """Rounded copies of the model: which are made, which one is published, and what it may lose."""

    published: Precision = "float32"
    """Precision of the model that goes into service."""
    measured: tuple[Precision, ...] = ()
    """Precisions that are tried and reported beside it."""
    calibration_photos: int = Field(default=256, ge=1)
    """Photos of the train split that integers take the ranges of their activations from."""
    evaluation: EvaluationSettings = EvaluationSettings(split="validation", damaged_queries=1_000, distractors=0)
    """The questions both models are asked; figures are paired, query by query."""
    min_cosine: float = Field(default=0.99, ge=0, le=1)
    """Least mean cosine between a photo's two vectors."""
    precision_tolerance: float = Field(default=0.02, ge=0, le=1)
    """How far below zero the interval of the fine precision@4 difference may reach."""
    recall_tolerance: float = Field(default=0.02, ge=0, le=1)
    """How far below zero the interval of the known-item recall@10 difference on damaged photos may reach."""

    @property
    def wanted(self) -> tuple[Precision, ...]:
        """Precisions to make."""
        asked = {self.published, *self.measured}
        return tuple(precision for precision in ROUNDED if precision in asked)


@dataclass(frozen=True)
class Variant:
    """One rounded copy, and how it answers the questions that the full model was asked."""

    precision: Precision
    path: Path
    identity: ModelIdentity
    mean_cosine: float
    min_cosine: float
    overlap: float
    """Mean share of common photos among the ten nearest of each gallery photo."""
    full: dict[str, float | None]
    rounded: dict[str, float | None]
    differences: dict[str, Estimate]
    """Rounded minus full, by figure."""

    def complaints(self, settings: VariantSettings) -> list[str]:
        """Sentences that name each bound that is broken; none for a copy that may be published."""
        broken = []
        if not self.mean_cosine >= settings.min_cosine:
            broken.append(f"mean cosine {self.mean_cosine:.5f} (at least {settings.min_cosine})")
        for name, tolerance in ((PRECISION, settings.precision_tolerance), (RECALL, settings.recall_tolerance)):
            interval = self.differences[name].interval
            if interval is None or not interval[0] >= -tolerance:
                found = "unknown" if interval is None else f"down to {interval[0]:+.4f}"
                broken.append(f"difference of {name} {found} (at least {-tolerance:+})")
        return broken

    def require(self, settings: VariantSettings) -> None:
        """Raise ParityError unless the copy may be published."""
        broken = self.complaints(settings)
        if broken:
            raise ParityError(f"the {self.precision} copy loses too much against float32: {'; '.join(broken)}")

    def report(self, settings: VariantSettings) -> dict[str, Any]:
        """As `variants.json` has it."""
        return {
            "fingerprint": self.identity.fingerprint,
            "megabytes": round(self.path.stat().st_size / 1e6, 3),
            "mean_cosine": self.mean_cosine,
            "min_cosine": self.min_cosine,
            "top_10_overlap": self.overlap,
            "float32": self.full,
            "rounded": self.rounded,
            "differences": {name: asdict(estimate) for name, estimate in self.differences.items()},
            "refused_because": self.complaints(settings),
        }


def make_variants(
    full: Path, identity: ModelIdentity, validated: Path, splits: Path, settings: VariantSettings, scratch: Path
) -> list[Variant]:
    """Round the ONNX file `full` into `scratch`, and ask both models the validation questions. Raises ExportError."""
    catalogue = load_catalogue(validated)
    truth = read_truth(catalogue, splits)
    calibration = calibration_pixels(catalogue, truth.rows("train"), identity, settings.calibration_photos)
    judge = Judge(catalogue, splits, settings.evaluation)
    expected = judge.ask(_Model(identity, open_session(full)))
    variants = []
    for precision in settings.wanted:
        path = scratch / f"{precision}.onnx"
        own = round_model(full, path, precision, identity, calibration)
        variants.append(_compared(precision, path, own, expected, judge.ask(_Model(own, open_session(path)))))
    return variants


def calibration_pixels(
    catalogue: Catalogue, rows: NDArray[np.int64], identity: ModelIdentity, count: int
) -> NDArray[np.uint8]:
    """(N, H, W, 3) photos spread evenly over the train split."""
    picked = rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))]
    contents = gallery_photos(catalogue, picked).contents[:count]
    if not contents:
        raise ExportError(f"{catalogue.folder} has no photos in the train split to calibrate on")
    return identity.preprocessing.batch(contents)


class Judge:
    """The validation questions, drawn once: catalogue photos for precision, damaged ones for recall."""

    def __init__(self, catalogue: Catalogue, splits: Path, settings: EvaluationSettings) -> None:
        self._settings = settings
        self._truth = read_truth(catalogue, splits)
        rows = self._truth.rows(settings.split)
        self._gallery = gallery_photos(catalogue, rows)
        damaged = damaged_photos(catalogue, rows, settings)
        self._queries = [QuerySet(CATALOGUE, self._gallery, known_item=False), QuerySet(DAMAGED, damaged)]

    def ask(self, model: Embedder) -> dict[str, Measured]:
        """What is measured of its answers, by the name of the questions."""
        return evaluate_embedder(model, self._truth, self._queries, self._gallery, self._settings).sets


@dataclass(frozen=True)
class _Model:
    """An ONNX session as an embedder."""

    identity: ModelIdentity
    session: InferenceSession

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        return in_batches(pixels, BATCH, self._run)

    def _run(self, pixels: NDArray[np.uint8]) -> Embeddings:
        vectors, *rest = self.session.run(output_names(self.identity), {PIXELS: pixels})
        return answer(vectors, rest[0] if rest else None, self.identity, len(pixels))


def _compared(
    precision: Precision, path: Path, own: ModelIdentity, full: dict[str, Measured], rounded: dict[str, Measured]
) -> Variant:
    before, after = full[CATALOGUE].embeddings.vectors, rounded[CATALOGUE].embeddings.vectors  # (N, D) each
    cosines = (before * after).sum(axis=1)  # (N,)
    asked = ((PRECISION, CATALOGUE), (RECALL, DAMAGED))
    return Variant(
        precision=precision,
        path=path,
        identity=own,
        mean_cosine=float(cosines.mean()),
        min_cosine=float(cosines.min()),
        overlap=neighbour_overlap(before, after),
        full={figure: _mean(full[name].values[figure]) for figure, name in asked},
        rounded={figure: _mean(rounded[name].values[figure]) for figure, name in asked},
        differences={
            figure: estimate_difference(rounded[name].values[figure], full[name].values[figure], full[name].resamples)
            for figure, name in asked
        },
    )


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float | None:
    judged = np.asarray(values)[~np.isnan(values)]
    return float(judged.mean()) if len(judged) else None
