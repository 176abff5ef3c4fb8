"""The evaluation stage: the challenger beside champion and frozen backbone, and whether it may be released."""

from pathlib import Path
from typing import Any

from lookalike.catalog.products import load_catalogue
from lookalike.embedders.model_folder import load_model
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.outputs import PROMOTION, REFERENCE, REPORT, write_evaluation
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.storage import StageRecord, run_stage
from lookalike.training.checkpoint import read_checkpoint
from lookalike.training.embedder import FrozenBackbone, TorchEmbedder
from lookalike.training.fit import METRICS


def evaluate(
    validated: Path,
    splits: Path,
    checkpoint: Path,
    output: Path,
    settings: EvaluationSettings | None = None,
    *,
    champion: Path | None = None,
    device: str = "cpu",
) -> StageRecord:
    """Write report.json, report.html, contact_sheet.png, reference.parquet and promotion.json.

    `champion` is the model folder of the release in service, None before the first. A checkpoint that came
    from pretrained weights is also compared with its untrained encoder. Raises EvaluationError.
    """
    settings = settings or EvaluationSettings()

    def work(folder: Path) -> dict[str, Any]:
        embedders: dict[str, Embedder] = {"challenger": TorchEmbedder(checkpoint, device)}
        if champion is not None:
            embedders["champion"] = OnnxEmbedder(champion)
        if read_checkpoint(checkpoint).recipe.encoder.source is not None:
            embedders["baseline"] = FrozenBackbone(checkpoint, device)
        return write_evaluation(load_catalogue(validated), splits, embedders, folder, settings, checkpoint / METRICS)

    return run_stage(
        "evaluate",
        output,
        inputs={"validated": validated, "splits": splits, "checkpoint": checkpoint},
        settings={
            "evaluate": settings.model_dump(mode="json"),
            "champion": None if champion is None else load_model(champion).fingerprint,
        },
        content=[REPORT, PROMOTION, REFERENCE],
        work=work,
    )
