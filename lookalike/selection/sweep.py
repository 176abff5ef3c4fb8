"""Measure candidates side by side on one set of vectors; a sweep that was killed goes on where it stopped."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lookalike.errors import VectorIndexError
from lookalike.index.checks import check_vectors
from lookalike.progress import progress
from lookalike.selection.candidates import Candidate
from lookalike.selection.measure import Asked, Measurement, SweepSettings, measure
from lookalike.selection.scratch import Clock, build_collection
from lookalike.selection.truth import FineLabels, kth_scores
from lookalike.storage import digest_json, read_json, write_json


def sweep(
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    candidates: Sequence[Candidate],
    *,
    scratch: Path,
    settings: SweepSettings | None = None,
    labels: FineLabels | None = None,
    clock: Clock = time.perf_counter,
) -> pd.DataFrame:
    """Build, search and update every candidate; a row per candidate with the fields of `Measurement`, in their order.

    `vectors` (N, D) are what is searched, `queries` (Q, D) are not among them; both of unit length. Exact neighbours
    are the truth. `scratch` keeps one collection at a time and every finished measurement: called again with the
    same arguments, only what is missing is measured. Candidates that differ in search parameters alone are measured
    in one collection. Searches run on `settings.threads` cores, builds on all. Raises VectorIndexError for vectors
    no index would take and for a candidate that cannot be built.
    """
    settings = settings or SweepSettings()
    _require(vectors, queries, candidates)
    vectors, queries = (np.ascontiguousarray(part, dtype=np.float32) for part in (vectors, queries))
    known = (labels.gallery, labels.queries) if labels else ()
    study = scratch / study_digest([vectors, queries, *known], settings.model_dump())
    missing = [candidate for candidate in _by_build(candidates) if not _record(study, candidate).is_file()]
    if missing:
        asked = Asked(queries, kth_scores(vectors, queries, settings.k), labels)
        _measure_all(missing, study, vectors, asked, settings, clock)
    return table_of([Measurement(**read_json(_record(study, candidate))) for candidate in candidates])


def table_of(measurements: Sequence[Measurement]) -> pd.DataFrame:
    """The measurements as a table; an unknown precision is NaN."""
    table = pd.DataFrame([asdict(measurement) for measurement in measurements])
    return table.astype({"precision_at_4": "float64"})


def _measure_all(
    missing: Sequence[Candidate],
    study: Path,
    vectors: NDArray[np.float32],
    asked: Asked,
    settings: SweepSettings,
    clock: Clock,
) -> None:
    for place, candidate in enumerate(progress(missing, "measuring candidates")):
        folder = study / candidate.build
        built = build_collection(folder, vectors, candidate.settings, clock)
        with threadpool_limits(limits=settings.threads):
            measured = measure(folder, candidate, vectors, asked, settings, built, clock)
        write_json(_record(study, candidate), asdict(measured))
        if place + 1 == len(missing) or missing[place + 1].build != candidate.build:
            shutil.rmtree(folder)


def _by_build(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that share a build side by side, otherwise in their order."""
    builds = list(dict.fromkeys(candidate.build for candidate in candidates))
    return sorted(candidates, key=lambda candidate: builds.index(candidate.build))


def _record(study: Path, candidate: Candidate) -> Path:
    return study / f"{digest_json(candidate.settings.model_dump())[:16]}.json"


def study_digest(arrays: Sequence[NDArray], values: Any) -> str:
    """Names a set of arrays and JSON values by their content."""
    digests = [hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() for array in arrays]
    return digest_json([*digests, values])[:16]


def _require(vectors: NDArray[np.float32], queries: NDArray[np.float32], candidates: Sequence[Candidate]) -> None:
    if not (len(vectors) and len(queries) and len(candidates)):
        counts = f"{len(vectors)} vectors, {len(queries)} queries and {len(candidates)} candidates"
        raise VectorIndexError(f"a sweep needs at least one of each; there are {counts}")
    check_vectors(vectors, vectors.shape[1], "vectors")
    check_vectors(queries, vectors.shape[1], "queries")
