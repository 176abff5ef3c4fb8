"""What is compared: the release's reference and the newest queries that this release answered."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.config import load_config
from lookalike.errors import ArtifactError, ReleaseMismatch
from lookalike.release.manifest import Release
from lookalike.search.observation import REFERENCE_SCHEMA
from lookalike.search.query_log import read_query_log
from lookalike.storage import digest_bytes, digest_json
from monitoring.settings import DriftSettings

REFERENCE = "reference.parquet"
NUMBERS = ("top1_score", "margin", "photo_width", "photo_height", "photo_bytes")


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


@dataclass(frozen=True)
class Window:
    """The newest queries of one release, the rows left out counted by reason."""

    sample: Sample
    first: datetime | None
    """Time of the oldest query that counts; None when there is none."""
    last: datetime | None
    digest: str
    """SHA-256 over the vectors and times: the same rows are the same window."""
    excluded: dict[str, int] = field(default_factory=dict)


def read_release(folder: Path) -> Release:
    """The record in a release's folder. Raises ArtifactError where there is none."""
    if not (folder / "release.json").is_file():
        raise ArtifactError(f"{folder} holds no release.json; pass the folder of one release, releases/<id>")
    return load_config(Release, folder / "release.json")


def read_reference(folder: Path, settings: DriftSettings) -> Sample:
    """The reference of a release, thinned at random to `max_reference_rows`. Raises ArtifactError."""
    path = folder / REFERENCE
    if not path.is_file():
        raise ArtifactError(f"{folder} holds no {REFERENCE}; the release was made without an evaluation")
    table = pq.read_table(path)
    if missing := set(REFERENCE_SCHEMA.names) - set(table.column_names):
        raise ArtifactError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    if len(table) > settings.max_reference_rows:
        rng = np.random.default_rng(settings.seed)
        table = table.take(np.sort(rng.choice(len(table), settings.max_reference_rows, replace=False)))
    return _sample(table)


def read_window(query_log: Path, release: Release, settings: DriftSettings, now: datetime) -> Window:
    """The newest queries the release answered before `now`; rows left out are counted by reason.

    An empty or missing log is an empty window. Raises ReleaseMismatch when rows carry the release's id but
    another model's fingerprint, ArtifactError for a log without the agreed columns.
    """
    since = None if settings.hours is None else now - timedelta(hours=settings.hours)
    table, excluded = read_query_log(query_log, since=since), Counter[str]()
    table = _keep(table, pc.less_equal(table["time"], now), "later than now", excluded)
    table = _keep(table, pc.equal(table["release_id"], release.release_id), "another release", excluded)
    _refuse_mixed_model(table, release)
    table = _keep(table, _last(len(table), settings.max_rows), "older than the newest that make a window", excluded)
    if not settings.count_repeats:
        table = _keep(table, _first_of_each_photo(table), "the same photo again", excluded)
    return _window(table, dict(excluded))


def same_space(reference: Sample, current: Sample) -> None:
    """Raise ReleaseMismatch unless both sides have vectors of the same size."""
    m, n = reference.vectors.shape[1], current.vectors.shape[1]
    if len(current) and m != n:
        raise ReleaseMismatch(f"the reference has {m} dimensions, the query log {n}; they cannot be compared")


def _keep(table: pa.Table, wanted: pa.BooleanArray, reason: str, excluded: Counter[str]) -> pa.Table:
    kept = table.filter(wanted)
    excluded.update({reason: len(table) - len(kept)} if len(kept) < len(table) else {})
    return kept


def _last(rows: int, most: int) -> pa.BooleanArray:
    return pa.array(np.arange(rows) >= rows - most)


def _first_of_each_photo(table: pa.Table) -> pa.BooleanArray:
    """The same photo has the same vector, to the bit."""
    keys = [np.asarray(vector, np.float32).tobytes() for vector in table["vector"].to_pylist()]
    return pa.array(~pd.Series(keys, dtype=object).duplicated().to_numpy(), pa.bool_())


def _refuse_mixed_model(table: pa.Table, release: Release) -> None:
    for model in pc.unique(table["model_fingerprint"]).to_pylist():
        if model != release.model_fingerprint:
            raise ReleaseMismatch(
                f"the query log holds rows of release {release.release_id[:12]} made by model {str(model)[:12]}; "
                f"that release serves model {release.model_fingerprint[:12]} and their vectors cannot be compared"
            )


def _window(table: pa.Table, excluded: dict[str, int]) -> Window:
    times = table["time"].to_pylist()
    sample = _sample(table)
    digest = digest_json({"vectors": digest_bytes(sample.vectors.tobytes()), "times": [str(time) for time in times]})
    return Window(sample, times[0] if times else None, times[-1] if times else None, digest, excluded)


def _sample(table: pa.Table) -> Sample:
    frame = table.select(REFERENCE_SCHEMA.names).to_pandas()
    vectors = np.stack(frame["vector"].to_list()).astype(np.float32) if len(frame) else np.empty((0, 0), np.float32)
    labels = _columns_of_map(frame["attributes"])
    sure = _columns_of_map(frame["confidence"])
    numbers = {name: frame[name].to_numpy(np.float64, na_value=np.nan) for name in NUMBERS}
    numbers |= {f"confidence of {name}": values.astype(np.float64) for name, values in sure.items()}
    return Sample(vectors, numbers, labels)


def _columns_of_map(column: pd.Series) -> dict[str, NDArray[np.object_]]:
    """One (N,) array per key of a parquet map column; None where a row lacks the key."""
    rows = [dict(row) if row is not None else {} for row in column]
    names = sorted({name for row in rows for name in row})
    return {name: np.array([row.get(name) for row in rows], dtype=object) for name in names}
