"""One candidate, measured: what it finds, how fast, and what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.index.faiss import FaissIndex
from lookalike.index.protocol import Hit
from lookalike.selection.candidates import Candidate
from lookalike.selection.scratch import COLLECTION, Clock, changed_photos, memory_bytes, most_beside, opened
from lookalike.selection.truth import FineLabels, precision, recalls

LEAST_SAMPLES = 200
"""Single searches that are always timed: the 99th percentile of fewer is their maximum."""
CONFIDENCE = 1.96
"""Standard errors either side of a mean in a 95 % interval."""


class SweepSettings(StrictConfig):
    """How every candidate of a sweep is measured."""

    k: int = Field(default=10, ge=1, le=1000)
    """Neighbours asked for, and judged by recall."""
    samples: int = Field(default=1_000, ge=LEAST_SAMPLES)
    """Single searches timed, after as many as fit `patience_seconds` at the latest."""
    patience_seconds: float = Field(default=10.0, gt=0)
    """When to stop timing a slow candidate, which is timed 200 times at least."""
    batch: int = Field(default=100, ge=1)
    """Queries per call when counting queries a second."""
    passes: int = Field(default=5, ge=1)
    """Times all queries are asked in batches; the median counts."""
    threads: int = Field(default=1, ge=1)
    """Cores a search may use; builds use all there are."""
    updates: int = Field(default=0, ge=0)
    """Photos changed since the structure was built, while searches are timed for the second time; at most as many
    as the collection keeps beside it."""
    upsert_rows: int = Field(default=1_000, ge=1)
    """Photos stored per timed update."""
    upsert_batches: int = Field(default=5, ge=1)
    """Timed updates."""
    seed: int = 0
    """Which photos change."""


@dataclass(frozen=True)
class Asked:
    """The queries, and what they should bring."""

    queries: NDArray[np.float32]  # (Q, D)
    kth: NDArray[np.float32]  # (Q,) cosine of the exact k-th neighbour
    labels: FineLabels | None


@dataclass(frozen=True)
class Measurement:
    """A row of the sweep's table."""

    name: str
    kind: str
    settings: str
    """The candidate's FaissSettings as JSON."""
    rows: int
    dimension: int
    queries: int
    k: int
    threads: int
    recall: float
    """Share of the exact k neighbours found, over the queries."""
    recall_low: float
    recall_high: float
    precision_at_4: float | None
    """Share of the first four that agree with the query in all fine attributes; None where nobody knows them."""
    queries_per_second: float
    """In batches."""
    p50_ms: float
    """Of single searches in the sealed collection."""
    p99_ms: float
    updates: int
    """Photos changed since, while the next two were timed."""
    updating_p50_ms: float
    updating_p99_ms: float
    build_seconds: float
    """Storing and sealing all rows, with all cores."""
    upsert_seconds_per_1000: float
    """Until 1,000 changed photos are stored and seen by a search."""
    beside: int
    """Changed photos that lie beside the structure at most; one more, and it is built anew."""
    scanned_bytes: int
    """What a search walks through: vectors, graph, lists or codes."""
    total_bytes: int
    """What a warm process holds: the scanned part, the stored vectors and the ids."""


def measure(
    folder: Path,
    candidate: Candidate,
    vectors: NDArray[np.float32],
    asked: Asked,
    settings: SweepSettings,
    build_seconds: float,
    clock: Clock,
) -> Measurement:
    """Measure a candidate in its finished collection, which holds the (N, D) vectors."""
    scanned, total = memory_bytes(folder)
    beside = most_beside(candidate.settings, len(vectors))
    updates = min(settings.updates, len(vectors), beside)
    with opened(folder, candidate.settings) as index:
        upsert_seconds = _upsert_seconds(index, vectors, settings, clock)
    with opened(folder, candidate.settings) as index:
        answers, per_second = _throughput(index, asked.queries, settings, clock)
        found = recalls(answers, asked.kth, min(settings.k, len(vectors)))
        p50, p99 = updating_p50, updating_p99 = _latencies(index, asked.queries, settings, clock)
        if updates:
            index.upsert(COLLECTION, changed_photos(vectors, 0, updates, settings.seed))
            updating_p50, updating_p99 = _latencies(index, asked.queries, settings, clock)
    margin = CONFIDENCE * found.std() / np.sqrt(len(found))
    return Measurement(
        name=candidate.name,
        kind=candidate.kind,
        settings=candidate.settings.model_dump_json(),
        rows=len(vectors),
        dimension=vectors.shape[1],
        queries=len(asked.queries),
        k=settings.k,
        threads=settings.threads,
        recall=float(found.mean()),
        recall_low=float(max(0.0, found.mean() - margin)),
        recall_high=float(min(1.0, found.mean() + margin)),
        precision_at_4=precision(_rows(answers), asked.labels) if asked.labels else None,
        queries_per_second=per_second,
        p50_ms=p50,
        p99_ms=p99,
        updates=updates,
        updating_p50_ms=updating_p50,
        updating_p99_ms=updating_p99,
        build_seconds=build_seconds,
        upsert_seconds_per_1000=upsert_seconds,
        beside=beside,
        scanned_bytes=scanned,
        total_bytes=total,
    )


def _throughput(
    index: FaissIndex, queries: NDArray[np.float32], settings: SweepSettings, clock: Clock
) -> tuple[list[list[Hit]], float]:
    """All answers, and how many came a second in the median of several passes."""
    index.search(COLLECTION, queries[: settings.batch], settings.k)  # opens the collection, touches its pages
    seconds: list[float] = []
    for _ in range(settings.passes):
        started = clock()
        parts = [index.search(COLLECTION, part, settings.k) for part in _parts(queries, settings.batch)]
        seconds.append(clock() - started)
    return [hits for part in parts for hits in part], len(queries) / float(np.median(seconds))


def _latencies(
    index: FaissIndex, queries: NDArray[np.float32], settings: SweepSettings, clock: Clock
) -> tuple[float, float]:
    """Median and 99th percentile of single searches, in milliseconds."""
    seconds: list[float] = []
    until = clock() + settings.patience_seconds
    for query in cycle(_parts(queries, 1)):
        started = clock()
        index.search(COLLECTION, query, settings.k)
        now = clock()
        seconds.append(now - started)
        if len(seconds) >= settings.samples or (len(seconds) >= LEAST_SAMPLES and now > until):
            break
    p50, p99 = np.percentile(seconds, [50, 99])
    return float(1_000 * p50), float(1_000 * p99)


def _upsert_seconds(index: FaissIndex, vectors: NDArray[np.float32], settings: SweepSettings, clock: Clock) -> float:
    """Median seconds until 1,000 changed photos are stored and seen."""
    rows, seconds = min(settings.upsert_rows, len(vectors)), []
    for number in range(settings.upsert_batches):
        batch = changed_photos(vectors, number * rows, rows, settings.seed)
        started = clock()
        index.upsert(COLLECTION, batch)
        index.count(COLLECTION)  # a search's first step: take in what changed
        seconds.append(clock() - started)
    return float(np.median(seconds)) * 1_000 / rows


def _parts(queries: NDArray[np.float32], size: int) -> Iterator[NDArray[np.float32]]:
    return (queries[start : start + size] for start in range(0, len(queries), size))


def _rows(answers: list[list[Hit]]) -> NDArray[np.int64]:
    """(Q, K) rows of the vectors that were answered."""
    return np.array([[int(hit.photo_id) for hit in hits] for hits in answers], dtype=np.int64)
