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
