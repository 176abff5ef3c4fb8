"""How a stage's record reaches the pipeline's interface."""

import json
import shutil
from pathlib import Path
from typing import Any

from lookalike.storage import StageRecord


def log_record(record: StageRecord, metrics: Any) -> None:
    """Show a stage's figures as KFP metrics.

    They are written to the artifact's file too: the local cache takes an artifact without a file for missing.
    """
    figures = {"seconds": record.seconds, **record.figures}
    for name, value in figures.items():
        if isinstance(value, int | float):
            metrics.log_metric(name, float(value))
    Path(metrics.path).write_text(json.dumps(figures, default=str), encoding="utf-8")


def show(folder: str, page: str, artifact: Any) -> None:
    """Publish a page of the stage's output folder as an HTML or Markdown artifact."""
    shutil.copyfile(Path(folder) / page, artifact.path)


def show_confusion(evaluation: str, artifact: Any) -> None:
    """Publish the confusion matrix of the attribute heads' first attribute; nothing where the model has no heads."""
    found = _diagnostics(evaluation, artifact)["confusion"]
    if found is not None:
        artifact.metadata["attribute"] = found["attribute"]
        artifact.log_confusion_matrix(found["categories"], found["matrix"])


def show_roc(evaluation: str, artifact: Any) -> None:
    """Publish how well a cosine tells whether two photos show the same item."""
    found = _diagnostics(evaluation, artifact)["roc"]
    artifact.metadata["area"] = found["area"]
    artifact.log_roc_curve(found["false_positive_rate"], found["true_positive_rate"], found["threshold"])


def show_decision(decision: str, artifact: Any) -> None:
    """Publish what was decided and why."""
    found = json.loads((Path(decision) / "decision.json").read_text(encoding="utf-8"))
    lines = [f"# {found['action']}", "", *(f"- {reason}" for reason in found["reasons"])]
    Path(artifact.path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _diagnostics(evaluation: str, artifact: Any) -> dict[str, Any]:
    """The evaluation's own file, which becomes the artifact's."""
    show(evaluation, "diagnostics.json", artifact)
    return dict(json.loads(Path(artifact.path).read_text(encoding="utf-8")))
