"""What is kept of one query to watch for drift: the same columns in the release's reference and in the query log.

Evaluation writes `reference.parquet` with these columns, serving logs them (beside its own, such as the
time and the release), monitoring compares the two. Scores are those of the best photo per product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

REFERENCE_SCHEMA = pa.schema(
    [
        ("vector", pa.list_(pa.float32())),  # (D,), unit length
        ("top1_score", pa.float32()),  # cosine of the nearest product; null when nothing was found
        ("margin", pa.float32()),  # top-1 minus top-2 product; null below two products
        ("attributes", pa.map_(pa.string(), pa.string())),  # attribute to its most probable value
        ("confidence", pa.map_(pa.string(), pa.float32())),  # attribute to that value's probability
        ("photo_width", pa.int32()),
        ("photo_height", pa.int32()),
        ("photo_bytes", pa.int32()),
        ("jpeg_quality", pa.float32()),  # 1 to 100 as last saved; null for other formats
        ("sharpness", pa.float32()),  # variance of the Laplacian of the model's input
    ]
)


@dataclass(frozen=True)
class Observation:
    """One query as drift detection sees it; the fields are the columns of REFERENCE_SCHEMA."""

    vector: Sequence[float]
    top1_score: float | None
    margin: float | None
    attributes: Mapping[str, str]
    confidence: Mapping[str, float]
    photo_width: int
    photo_height: int
    photo_bytes: int
    jpeg_quality: float | None = None
    sharpness: float | None = None


def score_margin(scores: Sequence[float]) -> tuple[float | None, float | None]:
    """(top-1 score, top-1 minus top-2) of product scores sorted best first; None where there are too few."""
    top1 = float(scores[0]) if len(scores) > 0 else None
    margin = float(scores[0]) - float(scores[1]) if len(scores) > 1 else None
    return top1, margin


def predicted_attributes(
    probabilities: Mapping[str, NDArray[np.float32]], labels: Mapping[str, Sequence[str]]
) -> tuple[dict[str, str], dict[str, float]]:
    """The most probable value of every attribute of ONE photo, and its probability.

    `probabilities` holds (C,) per attribute in the order of `labels` (see ModelIdentity.attribute_labels).
    """
    best = {name: int(np.argmax(values)) for name, values in probabilities.items()}
    values = {name: labels[name][index] for name, index in best.items()}
    return values, {name: float(probabilities[name][index]) for name, index in best.items()}


def observations_table(observations: Sequence[Observation]) -> pa.Table:
    """Rows as a table of REFERENCE_SCHEMA."""
    # Column by column: `asdict` would copy every number of every vector, half a second per thousand queries in which
    # no search goes on.
    columns = {name: [getattr(each, name) for each in observations] for name in REFERENCE_SCHEMA.names}
    for name in ("attributes", "confidence"):
        columns[name] = [list(values.items()) for values in columns[name]]
    return pa.Table.from_pydict(columns, schema=REFERENCE_SCHEMA)
