"""The window: the newest queries that the release answered, each photo once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lookalike.errors import ReleaseMismatch
from lookalike.release.manifest import Release
from lookalike.search.query_log import read_query_log
from lookalike.storage import digest_bytes, digest_json
from monitoring.samples import Sample, sample_of, sound_vectors
from monitoring.settings import DriftSettings
from monitoring.slices import Example

Span = tuple[datetime, datetime]
"""Times of a window's oldest and newest query."""
SHOWN_HITS = 3
"""Answers named with an example."""


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
    told: tuple[Example, ...] = ()
    """What finds every row in the log, in the sample's order."""


def read_window(
    query_log: Path, release: Release, settings: DriftSettings, now: datetime, after: datetime | None = None
) -> Window:
    """The newest queries the release answered before `now`; rows left out are counted by reason.

    `after` ends the early traffic that the reference holds already. An empty or missing log is an empty window.
    Raises ReleaseMismatch when rows carry the release's id but another model's fingerprint, ArtifactError for a log
    without the agreed columns.
    """
    table, excluded = answered(query_log, release, settings, now)
    if after is not None:
        table = _keep(table, pc.greater(table["time"], _moment(after)), "kept as early traffic", excluded)
    if settings.hours is None:
        newest = _last(len(table), settings.max_rows)
        table = _keep(table, newest, "older than the newest that make a window", excluded)
    else:
        begin = now - timedelta(hours=settings.hours)
        table = _keep(table, pc.greater_equal(table["time"], _moment(begin)), "older than the window", excluded)
        chosen = _at_random(len(table), settings.max_rows, settings.seed)
        table = _keep(table, chosen, "beyond the largest window, left out at random", excluded)
    if not settings.count_repeats:
        table = _keep(table, first_of_each_photo(table), "the same photo again", excluded)
    return _window(table, dict(excluded))


def read_windows(
    query_log: Path,
    release: Release,
    settings: DriftSettings,
    spans: Sequence[Span],
    now: datetime,
    after: datetime | None = None,
) -> list[Sample]:
    """The queries of windows that share no time, oldest first, each photo in the first that shows it.

    Of every span at most `max_rows` queries, at random; `after` as in `read_window`. What was taken out of the log
    since a window was seen is missing.
    """
    table, _ = answered(query_log, release, settings, now, since=spans[0][0])
    if after is not None:
        table = table.filter(pc.greater(table["time"], _moment(after)))
    parts = [table.filter(_within(table["time"], span)) for span in spans]
    parts = [part.filter(_at_random(len(part), settings.max_rows, settings.seed)) for part in parts]
    if settings.count_repeats:
        return [sample_of(part) for part in parts]
    first, ends = first_of_each_photo(pa.concat_tables(parts)), np.cumsum([0, *map(len, parts)])
    return [sample_of(part.filter(first.slice(end, len(part)))) for part, end in zip(parts, ends, strict=False)]


def answered(
    query_log: Path, release: Release, settings: DriftSettings, now: datetime, since: datetime | None = None
) -> tuple[pa.Table, Counter[str]]:
    """The rows of the log that the release answered from `since` to `now`, oldest first, and how many others."""
    table, excluded = read_query_log(query_log, since=since), Counter[str]()
    table = _keep(table, pc.less_equal(table["time"], _moment(now)), "later than now", excluded)
    table = _keep(table, pc.equal(table["release_id"], release.release_id), "another release", excluded)
    _refuse_mixed_model(table, release)
    return _keep(table, pa.array(sound_vectors(table), pa.bool_()), "a vector that is no number", excluded), excluded


def _within(times: pa.ChunkedArray, span: Span) -> pa.ChunkedArray:
    return pc.and_(pc.greater_equal(times, _moment(span[0])), pc.less_equal(times, _moment(span[1])))


def _moment(time: datetime) -> pa.Scalar:
    return pa.scalar(time, pa.timestamp("us", tz="UTC"))


def _at_random(rows: int, most: int, seed: int) -> pa.BooleanArray:
    """`most` of the rows: a busy hour must not stand for the whole day."""
    return pa.array(np.random.default_rng(seed).permutation(rows) < most)


def _keep(table: pa.Table, wanted: pa.BooleanArray, reason: str, excluded: Counter[str]) -> pa.Table:
    kept = table.filter(wanted)
    excluded.update({reason: len(table) - len(kept)} if len(kept) < len(table) else {})
    return kept


def _last(rows: int, most: int) -> pa.BooleanArray:
    return pa.array(np.arange(rows) >= rows - most)


def first_of_each_photo(table: pa.Table) -> pa.BooleanArray:
    """Rounded: the batch a photo was embedded in moves its vector by some 1e-7."""
    vectors = [np.round(vector, 2).tobytes() for vector in table["vector"].to_numpy()]
    photos = table.select(["photo_width", "photo_height", "photo_bytes"]).to_pandas().assign(vector=vectors)
    return pa.array(~photos.duplicated().to_numpy(), pa.bool_())


def _refuse_mixed_model(table: pa.Table, release: Release) -> None:
    for model in pc.unique(table["model_fingerprint"]).to_pylist():
        if model != release.model_fingerprint:
            raise ReleaseMismatch(
                f"the query log holds rows of release {release.release_id[:12]} made by model {str(model)[:12]}; "
                f"that release serves model {release.model_fingerprint[:12]} and their vectors cannot be compared"
            )


def _window(table: pa.Table, excluded: dict[str, int]) -> Window:
    times = table["time"].to_pylist()
    sample = sample_of(table)
    digest = digest_json({"vectors": digest_bytes(sample.vectors.tobytes()), "times": [str(time) for time in times]})
    told = tuple(
        Example(time=time.isoformat(), hits=tuple(hits or ())[:SHOWN_HITS])
        for time, hits in zip(times, table["hits"].to_pylist(), strict=True)
    )
    return Window(sample, times[0] if times else None, times[-1] if times else None, digest, excluded, told)
