"""What the watch's page costs: the whole drift stage over 2,000 queries against 2,000, real photos shown, its size."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.drift.photos import FIRST
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.traffic import file_name
from benchmarks.results import Figure
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.splits import SPLITS
from lookalike.embedders.model_folder import MODEL, load_model
from lookalike.evaluation.queries import gallery_photos
from lookalike.evaluation.retrieval import Gallery, rank_products
from lookalike.index.gallery import GALLERY_COLUMNS
from lookalike.index.gallery import Gallery as IndexedGallery
from lookalike.index.trained_vectors import write_trained_vectors
from lookalike.observation import REFERENCE_SCHEMA
from lookalike.release.manifest import STORED, Release, save_release
from lookalike.search.query_log import OWN_COLUMNS, QUERY_LOG_SCHEMA, day_folder
from lookalike.storage import atomic_folder, read_seal
from lookalike.training.trained import TRAINED
from lookalike.workspace import Workspace
from monitoring.drift import REPORT, detect_drift
from monitoring.episode import SeenWindow
from monitoring.history import WatchHistory, write_history
from monitoring.page.timeline import SHOWN
from monitoring.settings import DriftSettings
from monitoring.sketch import REFERENCE

ROWS, QUICK_ROWS = 2_000, 300
"""Queries on either side."""
UNSEEN = 0.1
"""Share of the window that is of a type the reference does not show."""
REPEATS = 3
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOST_MEGABYTES, MOST_SECONDS = 3.0, 10.0


@dataclass(frozen=True)
class Watched:
    """A release and its traffic, as the watch finds them."""

    release: Release
    folder: Path
    query_log: Path
    history: Path
    catalogue: Path


def measure(plan: Plan) -> Measured:
    """Run the drift stage anew REPEATS times; the page of the last run stays in the study's folder."""
    rows = QUICK_ROWS if plan.places.quick else ROWS
    root = plan.places.root / "page"
    with atomic_folder(root) as aside:
        _prepare(plan, aside, rows)
    watched = _watched(plan, root)
    settings = DriftSettings(seed=plan.study.seed)
    seconds, of_one_core = [], []
    for number in range(REPEATS):
        started, worked = time.perf_counter(), time.process_time()
        output = root / f"drift-{number}"
        detect_drift(watched.query_log, watched.folder, output, settings, NOW, watched.history, watched.catalogue)
        seconds.append(time.perf_counter() - started)
        of_one_core.append(time.process_time() - worked)
    megabytes = (output / REPORT).stat().st_size / 1e6
    how = _how(rows, load_model(watched.folder).dimension)
    return Measured(_figures(megabytes, seconds, of_one_core, how), {"seconds": seconds, "of_one_core": of_one_core})


def _how(rows: int, dimension: int) -> str:
    return (
        f"the drift stage as shipped, calibration, Evidently's page and thumbnails included: {rows:,} queries of "
        f"{dimension} dimensions against a reference of {rows:,}, a tenth of the window of an articleType that the "
        f"reference does not show; 20,000 training photos looked through, {SHOWN} earlier windows on the timeline"
    )


def _figures(megabytes: float, seconds: list[float], of_one_core: list[float], how: str) -> dict[str, Figure]:
    """A machine that does other things besides takes longer; the seconds of one core tell."""
    return {
        "report_megabytes": Figure(
            megabytes, "MB", f"size of drift.html: {how}", COMMAND, "< 3", megabytes < MOST_MEGABYTES, None, 1
        ),
        "report_seconds": Figure(
            max(seconds), "seconds", f"the slowest of {len(seconds)} runs: {how}", COMMAND, "< 10",
            max(seconds) < MOST_SECONDS, None, len(seconds),
        ),
        "report_cpu_seconds": Figure(
            max(of_one_core), "seconds of one core", f"processor time of the same {len(seconds)} runs, the most: {how}",
            COMMAND, n=len(seconds),
        ),
    }  # fmt: skip


# ---- the release and its traffic


def _watched(plan: Plan, root: Path) -> Watched:
    shop = Workspace(plan.places.workspace)
    release = _release(shop)
    folder = root / "releases" / release.release_id
    return Watched(release, folder, root / "query_log", root / "history.json", shop.validated)


def _release(shop: Workspace) -> Release:
    return Release.of(
        load_model(shop.exported).fingerprint, read_seal(shop.validated).content, NOW - timedelta(days=30)
    )


def _prepare(plan: Plan, root: Path, rows: int) -> None:
    """Write a release that never saw the smallest sizeable vertical, its traffic, and a full history."""
    shop = Workspace(plan.places.workspace)
    catalogue, release = load_catalogue(shop.validated), _release(shop)
    folder = save_release(root / "releases", release)
    (folder / MODEL).write_bytes((shop.exported / MODEL).read_bytes())
    table = pq.read_table(plan.places.observed / file_name(FIRST))
    reference, window = _drawn(table, rows, plan.study.type_rows, plan.study.seed)
    pq.write_table(reference.select(REFERENCE_SCHEMA.names), folder / REFERENCE)

    photos = catalogue.gallery_photos[GALLERY_COLUMNS].reset_index(drop=True)
    sizes = catalogue.products["vertical"].value_counts()
    new = set(catalogue.products.loc[catalogue.products["vertical"] == sizes[sizes >= 20].index[-1], "product_id"])
    photos[~photos["product_id"].isin(new)].to_parquet(folder / STORED)
    vectors = np.load(plan.places.gallery)
    _write_trained(shop, photos, vectors, folder)

    products = gallery_photos(catalogue, np.arange(len(catalogue.products))).products
    asked = np.stack(window["vector"].to_numpy()).astype(np.float32)
    found = rank_products(asked, Gallery(vectors, products, products), 3).products
    ids = catalogue.products["product_id"].to_numpy()
    _write_log(root / "query_log", release, window, [list(ids[row]) for row in found])
    _write_history(root / "history.json", release)


def _drawn(table: pa.Table, rows: int, type_rows: int, seed: int) -> tuple[pa.Table, pa.Table]:
    """Reference and window of other products; a tenth of the window is of a type nobody else asks for."""
    rng = np.random.default_rng(seed)
    types = np.array(table["type"].to_pylist())
    names, counts = np.unique(types, return_counts=True)
    hidden = types == rng.choice(names[counts >= type_rows])
    usual, unseen = rng.permutation(np.flatnonzero(~hidden)), rng.permutation(np.flatnonzero(hidden))
    new = unseen[: round(rows * UNSEEN)]
    window = np.concatenate([usual[rows : 2 * rows - len(new)], new])
    return table.take(usual[:rows]), table.take(rng.permutation(window))


def _write_trained(shop: Workspace, photos: pd.DataFrame, vectors: np.ndarray, folder: Path) -> None:
    """What the index stage keeps of a model trained on the train split."""
    splits = pd.read_parquet(shop.splits / SPLITS).set_index("product_id")["split"]
    seen = photos[photos["product_id"].map(splits) == "train"]
    seen[["product_id", "sha256"]].to_parquet(folder / TRAINED)
    IndexedGallery(photos, vectors).save(folder)
    write_trained_vectors(folder, folder)


def _write_log(query_log: Path, release: Release, window: pa.Table, hits: list[list[str]]) -> None:
    own = {
        "time": [NOW - timedelta(minutes=len(window) - i) for i in range(len(window))],
        "release_id": [release.release_id] * len(window),
        "model_fingerprint": [release.model_fingerprint] * len(window),
        "latency_ms": [12.0] * len(window),
        "hits": hits,
    }
    table = window.select(REFERENCE_SCHEMA.names)
    for name, kind in OWN_COLUMNS:
        table = table.append_column(name, pa.array(own.get(name, [None] * len(window)), kind))
    day = day_folder(query_log, NOW.date())
    day.mkdir(parents=True)
    pq.write_table(table.select(QUERY_LOG_SCHEMA.names).cast(QUERY_LOG_SCHEMA), day / "part-1.parquet")


def _write_history(path: Path, release: Release) -> None:
    """As many earlier windows as the timeline draws, a day each."""
    seen = []
    for number in range(SHOWN, 0, -1):
        last = NOW - timedelta(days=number + 2)
        first = last - timedelta(hours=20)
        seen.append(
            SeenWindow(
                window=str(number), release_id=release.release_id, first=first.isoformat(), last=last.isoformat(),
                drifted=False, score=1.0 + number % 5 / 10, threshold=2.0, believed=False,
            )
        )  # fmt: skip
    write_history(path, WatchHistory(windows=seen))
