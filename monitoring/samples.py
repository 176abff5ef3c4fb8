"""Queries as arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lookalike.config import load_config
from lookalike.errors import ArtifactError, ReleaseMismatch
from lookalike.observation import REFERENCE_SCHEMA
from lookalike.release.manifest import Release

ANSWERS = ("top1_score", "margin")
PHOTOS = ("photo_width", "photo_height", "photo_bytes", "jpeg_quality", "sharpness")
BYTES_PER_PIXEL = "bytes_per_pixel"
EMPTY = "empty_answers"


@dataclass(frozen=True)
class Sample:
    """N queries as arrays; nothing here is written to."""

    vectors: NDArray[np.float32]
    """(N, D), unit length."""
    numbers: dict[str, NDArray[np.float64]]
    """Per stream (N,); NaN where there was nothing to measure."""
    labels: dict[str, NDArray[np.object_]]
    """Per attribute (N,) the predicted value; None where the model predicted none."""

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Sample":
        """The chosen rows, by place or mask."""
        return Sample(
            self.vectors[rows],
            {name: values[rows] for name, values in self.numbers.items()},
            {name: values[rows] for name, values in self.labels.items()},
        )


def pooled(first: Sample, second: Sample) -> Sample:
    """Both, the first above the second; a stream that only one has is missing in the other's rows."""
    return Sample(
        np.concatenate([first.vectors, second.vectors]),
        {name: _stacked(name, first, second) for name in {**first.numbers, **second.numbers}},
        {name: _stacked(name, first, second) for name in {**first.labels, **second.labels}},
    )


def _stacked(name: str, first: Sample, second: Sample) -> NDArray:
    def column(sample: Sample) -> NDArray:
        missing = np.full(len(sample), np.nan if name in {**first.numbers, **second.numbers} else None)
        return {**sample.numbers, **sample.labels}.get(name, missing)

    return np.concatenate([column(first), column(second)])


def read_release(folder: Path) -> Release:
    """The record in a release's folder. Raises ArtifactError where there is none."""
    if not (folder / "release.json").is_file():
        raise ArtifactError(f"{folder} holds no release.json; pass the folder of one release, releases/<id>")
    return load_config(Release, folder / "release.json")


def same_space(reference: Sample, current: Sample) -> None:
    """Raise ReleaseMismatch unless both sides have vectors of the same size."""
    m, n = reference.vectors.shape[1], current.vectors.shape[1]
    if len(current) and m != n:
        raise ReleaseMismatch(f"the reference has {m} dimensions, the query log {n}; they cannot be compared")


def sound_vectors(table: pa.Table) -> list[bool]:
    """Per row, whether its vector is there and holds nothing but numbers."""
    return [vector is not None and bool(np.isfinite(vector).all()) for vector in table["vector"].to_numpy()]


def sample_of(table: pa.Table) -> Sample:
    """A table with the columns of REFERENCE_SCHEMA as arrays. Raises ReleaseMismatch for vectors of unequal size."""
    frame = table.select(REFERENCE_SCHEMA.names).to_pandas()
    sizes = sorted({len(vector) for vector in frame["vector"]})
    if len(sizes) > 1:
        raise ReleaseMismatch(f"the vectors have {sizes} dimensions; one model makes vectors of one size")
    vectors = np.stack(frame["vector"].to_list()).astype(np.float32) if len(frame) else np.empty((0, 0), np.float32)
    labels = _columns_of_map(frame["attributes"])
    sure = _columns_of_map(frame["confidence"])
    numbers = {name: frame[name].to_numpy(np.float64, na_value=np.nan) for name in (*ANSWERS, *PHOTOS)}
    numbers[BYTES_PER_PIXEL] = numbers["photo_bytes"] / (numbers["photo_width"] * numbers["photo_height"])
    numbers[EMPTY] = _empty(table)
    numbers |= {f"confidence of {name}": values.astype(np.float64) for name, values in sure.items()}
    return Sample(vectors, numbers, labels)


def _columns_of_map(column: pd.Series) -> dict[str, NDArray[np.object_]]:
    """One (N,) array per key of a parquet map column; None where a row lacks the key."""
    rows = [dict(row) if row is not None else {} for row in column]
    names = sorted({name for row in rows for name in row})
    return {name: np.array([row.get(name) for row in rows], dtype=object) for name in names}


def _empty(table: pa.Table) -> NDArray[np.float64]:
    """(N,) 1 where nothing was found. The log knows the hits; the reference's queries were asked without filters, so
    there a missing score says it."""
    if "hits" in table.column_names:
        return np.array([float(len(hits or ()) == 0) for hits in table["hits"].to_pylist()])
    return table["top1_score"].is_null().to_numpy().astype(np.float64)
