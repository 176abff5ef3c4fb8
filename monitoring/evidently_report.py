"""Evidently's own report on a sample of both sides, with the score measured on all rows."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from monitoring.evidently_api import evidently_module
from monitoring.samples import Sample

EMBEDDINGS = "query vectors"


def evidently_html(
    reference: Sample, current: Sample, score: float, drifted: bool, rows: int, alpha: float, seed: int
) -> str:
    """Evidently's page for at most `rows` rows a side; its t-SNE is what costs time and grows with the rows."""
    evidently = evidently_module("evidently")
    embeddings = evidently_module("evidently.metrics.embeddings")
    metrics = evidently_module("evidently.metrics")
    frames = [_frame(sample, rows, seed) for sample in (reference, current)]
    numbers, labels = _shared(reference.numbers, *frames), _shared(reference.labels, *frames)
    dimensions = [f"d{i}" for i in range(reference.vectors.shape[1])]
    definition = evidently.DataDefinition(
        embeddings={EMBEDDINGS: dimensions}, numerical_columns=numbers, categorical_columns=labels
    )
    measured = _measured_drift()(score=score, drifted=drifted)
    report = evidently.Report(
        [embeddings.EmbeddingsDrift(embeddings_name=EMBEDDINGS, drift_method=measured)]
        + [metrics.ValueDrift(column=name, method="ks", threshold=alpha) for name in numbers]
        + [metrics.ValueDrift(column=name, method="chisquare", threshold=alpha) for name in labels]
    )
    datasets = [evidently.Dataset.from_pandas(frame, data_definition=definition) for frame in frames]
    snapshot = report.run(current_data=datasets[1], reference_data=datasets[0])
    return str(snapshot.get_html_str(as_iframe=False))


@cache
def _measured_drift() -> Any:
    """A drift method that tells Evidently what was measured on all rows, instead of a default on the sample."""
    drift_method: Any = evidently_module("evidently.legacy.metrics.data_drift.embedding_drift_methods").DriftMethod

    class MeasuredDrift(drift_method):
        class Config:
            type_alias = "lookalike:drift_method:MeasuredDrift"

        score: float
        drifted: bool

        def __call__(self, current_emb: pd.DataFrame, reference_emb: pd.DataFrame) -> tuple[float, bool, str]:
            return self.score, self.drifted, "calibrated on the reference, all rows"

    return MeasuredDrift


def _frame(sample: Sample, rows: int, seed: int) -> pd.DataFrame:
    """A random sample of the rows: vectors as d0..d<D-1>, then every stream."""
    chosen = np.random.default_rng(seed).permutation(len(sample))[:rows]
    vectors = pd.DataFrame(sample.vectors[chosen], columns=[f"d{i}" for i in range(sample.vectors.shape[1])])
    streams = {name: values[chosen] for name, values in {**sample.numbers, **sample.labels}.items()}
    return pd.concat([vectors, pd.DataFrame(streams)], axis=1)


def _shared(streams: dict[str, Any], reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
    """Streams with at least two values on both sides together and some value on either."""
    shared = [name for name in streams if name in current]
    return [
        name
        for name in shared
        if min(reference[name].count(), current[name].count()) > 0
        and pd.concat([reference[name], current[name]]).nunique() > 1
    ]
