"""What Evidently's methods score on the same windows; the fixed thresholds are set afterwards, at their best."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from monitoring.evidently_api import evidently_module
from monitoring.samples import Sample

EMBEDDING_METHODS: dict[str, tuple[str, dict[str, object]]] = {
    "mmd": ("MMDDriftMethod", {}),
    "mmd_pca30": ("MMDDriftMethod", {"pca_components": 30}),
    "euclidean": ("DistanceDriftMethod", {"dist": "euclidean"}),
    "cosine": ("DistanceDriftMethod", {"dist": "cosine"}),
    "ratio": ("RatioDriftMethod", {}),
    "ratio_ks": ("RatioDriftMethod", {"component_stattest": "ks", "component_stattest_threshold": 0.05}),
    "classifier": ("ModelDriftMethod", {}),
    "classifier_pca30": ("ModelDriftMethod", {"pca_components": 30}),
}
DEFAULTS = {"mmd": 0.015, "euclidean": 0.2, "cosine": 0.2, "ratio": 0.2, "classifier": 0.55, "columns": 0.5}
"""Thresholds that Evidently 0.7.23 comes with, for the methods that it comes with."""
COLUMN_THRESHOLD = 0.1
"""Evidently's default for the distances it chooses by itself above a thousand rows."""
COLUMNS = "columns"
"""Its preset: the share of logged columns whose distance is above the default."""


def evidently_scores(reference: Sample, current: Sample) -> dict[str, float]:
    """Larger is more drift, by method; `column:<name>` are its default distances of single columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its classifier and its numpy are old
        found = {name: _embedding(name, reference, current) for name in EMBEDDING_METHODS}
        columns = _columns(reference, current)
    share = float(np.mean([value > COLUMN_THRESHOLD for value in columns.values()]))
    return found | {COLUMNS: share} | {f"column:{name}": value for name, value in columns.items()}


def is_column(method: str) -> bool:
    """Whether the method looks at one column alone."""
    return method.startswith("column:")


def _embedding(name: str, reference: Sample, current: Sample) -> float:
    kind, arguments = EMBEDDING_METHODS[name]
    method = getattr(evidently_module("evidently.metrics.embeddings"), kind)(**arguments)
    # it writes a `target` column into its arguments: it gets frames of its own
    frames = [pd.DataFrame(side.vectors.copy()).rename(columns=str) for side in (current, reference)]
    return float(method(current_emb=frames[0], reference_emb=frames[1])[0])


def _columns(reference: Sample, current: Sample) -> dict[str, float]:
    tests = evidently_module("evidently.legacy.calculations.stattests")
    kinds = evidently_module("evidently.legacy.core").ColumnType
    labels = {
        name: tests.jensenshannon_stat_test.func(
            pd.Series(was), pd.Series(current.labels[name]), kinds.Categorical, 0.1
        )
        for name, was in reference.labels.items()
    }
    numbers = {
        name: tests.wasserstein_stat_test.func(
            pd.Series(was), pd.Series(current.numbers[name]), kinds.Numerical, COLUMN_THRESHOLD
        )
        for name, was in reference.numbers.items()
        if np.nanstd(was) > 0
    }
    return {name: float(score) for name, (score, _) in (labels | numbers).items()}


def power_at(clean: Sequence[float], shifted: Sequence[float], alpha: float) -> float:
    """Share of shifted scores above the lowest fixed threshold that at most alpha of the clean scores exceed: the best
    that a person could set who knew both."""
    threshold = np.quantile(clean, 1 - alpha, method="higher")
    return float(np.mean(np.asarray(shifted) > threshold))
