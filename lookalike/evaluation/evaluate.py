"""The evaluation stage: the challenger beside champion and frozen backbone, and whether it may be released."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lookalike.catalog.products import load_catalogue
from lookalike.embedders.model_folder import load_model
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.evidence import Known, gather_evidence
from lookalike.evaluation.outputs import DIAGNOSTICS, PROMOTION, REFERENCE, REPORT, VERDICT, write_evaluation
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
    exported: Path | None = None,
    recent: Path | None = None,
    alarms: Sequence[str] = (),
    device: str = "cpu",
) -> StageRecord:
    """Write report.json, report.html, contact_sheet.png, reference.parquet, promotion.json and diagnostics.json.

    `champion` is the model folder of the release in service, None before the first. A checkpoint that came
    from pretrained weights is also compared with its untrained encoder. `exported` is the challenger's own model
    folder, whose speed and size are then compared with the champion's; `recent` the folder of collected feedback;
    `alarms` are reasons to hold the challenger back that others have found. Raises EvaluationError.
    """
    settings = settings or EvaluationSettings()
    further = {name: path for name, path in (("exported", exported), ("recent", recent)) if path is not None}

    def work(folder: Path) -> dict[str, Any]:
        embedders: dict[str, Embedder] = {"challenger": TorchEmbedder(checkpoint, device)}
        if champion is not None:
            embedders["champion"] = OnnxEmbedder(champion)
        if read_checkpoint(checkpoint).recipe.encoder.source is not None:
            embedders["baseline"] = FrozenBackbone(checkpoint, device)
        catalogue = load_catalogue(validated)
        known = Known(checkpoint, champion, exported, recent, tuple(alarms))
        evidence = partial(gather_evidence, known, catalogue, embedders, settings)
        return write_evaluation(catalogue, splits, embedders, folder, settings, checkpoint / METRICS, evidence)

    return run_stage(
        "evaluate",
        output,
        inputs={"validated": validated, "splits": splits, "checkpoint": checkpoint, **further},
        settings={
            "evaluate": settings.model_dump(mode="json"),
            "champion": None if champion is None else load_model(champion).fingerprint,
            "alarms": list(alarms),
        },
        content=[REPORT, PROMOTION, REFERENCE, DIAGNOSTICS, VERDICT],
        work=work,
    )
