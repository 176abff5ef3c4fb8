"""Everything measured on every arm, in numbers: what tables and plots are made of."""

import math
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.embedding.arms import ARMS
from benchmarks.embedding.intervals import Sampled
from benchmarks.embedding.results import Results
from lookalike.training.fit import METRICS

DETAILS = "embedding_details.json"

Details = dict[str, Any]
"""`arms`: per arm `seeds`, and per split its metrics as [value, low, high]; `losses`: per arm and task, by epoch."""


def arm_details(results: dict[str, Results], checkpoints: dict[str, list[Path]]) -> Details:
    """Every metric of every arm on both splits, and the training losses of its first seed."""
    arms = {
        arm: {"seeds": results["test"].seeds(arm), **{split: _metrics(found, arm) for split, found in results.items()}}
        for arm in results["test"].arms
    }
    losses = {arm: _losses(folders[0]) for arm, folders in checkpoints.items() if arm in ARMS and folders}
    return {"arms": arms, "losses": losses}


def _metrics(results: Results, arm: str) -> dict[str, list[float | None]]:
    return {metric: _triple(results.mean(arm, metric)) for metric in results.metrics}


def _triple(sampled: Sampled) -> list[float | None]:
    """None where no query could be judged: a trial's catalogue may be that small."""
    return [None if math.isnan(value) else round(value, 4) for value in (sampled.value, *sampled.interval)]


def _losses(checkpoint: Path) -> dict[str, list[float]]:
    table = pd.read_csv(checkpoint / METRICS).drop(columns=["epoch", "steps"])
    return {str(name): [round(float(value), 4) for value in table[name]] for name in table}
