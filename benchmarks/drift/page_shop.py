"""A release, its traffic and its history, as the watch finds them, made of the study's observed photos."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.drift.photos import FIRST
from benchmarks.drift.plan import Plan
from benchmarks.drift.traffic import file_name
from lookalike.catalog.products import Catalogue, load_catalogue
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
from lookalike.storage import read_seal
from lookalike.training.trained import TRAINED
from lookalike.workspace import Workspace
from monitoring.episode import SeenWindow
from monitoring.history import WatchHistory, write_history
from monitoring.page.timeline import SHOWN
from monitoring.sketch import REFERENCE

UNSEEN = 0.1
"""Share of the window that is of a type the reference does not show."""
SIZEABLE = 20
"""Products a vertical needs to play the new one."""
HITS = 3
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Watched:
    """What `detect_drift` reads."""

    folder: Path
    """The release's."""
    query_log: Path
    history: Path
    catalogue: Path

    @classmethod
    def of(cls, plan: Plan, root: Path) -> Self:
        """What `prepare` wrote."""
        shop = Workspace(plan.places.workspace)
        folder = root / "releases" / _release(shop).release_id
        return cls(folder, root / "query_log", root / "history.json", shop.validated)


def prepare(plan: Plan, root: Path, rows: int) -> None:
    """Write a release that never saw the smallest sizeable vertical, `rows` queries to it, and a full history."""
    shop = Workspace(plan.places.workspace)
    catalogue, release = load_catalogue(shop.validated), _release(shop)
    vectors = np.load(plan.places.gallery)
    folder = save_release(root / "releases", release)
    (folder / MODEL).write_bytes((shop.exported / MODEL).read_bytes())
    observed = pq.read_table(plan.places.observed / file_name(FIRST))
    reference, window = _drawn(observed, rows, plan.study.type_rows, plan.study.seed)
    pq.write_table(reference.select(REFERENCE_SCHEMA.names), folder / REFERENCE)
    _write_indexed(shop, catalogue, vectors, folder)
    _write_log(root / "query_log", release, window, _answers(catalogue, vectors, window))
    _write_history(root / "history.json", release)


def _release(shop: Workspace) -> Release:
    fingerprint, catalogue = load_model(shop.exported).fingerprint, read_seal(shop.validated).content
    return Release.of(fingerprint, catalogue, NOW - timedelta(days=30))


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


def _write_indexed(shop: Workspace, catalogue: Catalogue, vectors: NDArray[np.float32], folder: Path) -> None:
    """What the index stage keeps: the collection's photos, and those of the train split with their vectors."""
    photos = catalogue.gallery_photos[GALLERY_COLUMNS].reset_index(drop=True)
    sizes = catalogue.products["vertical"].value_counts()  # the largest first
    new = catalogue.products["vertical"] == sizes[sizes >= SIZEABLE].index[-1]
    photos[~photos["product_id"].isin(catalogue.products.loc[new, "product_id"])].to_parquet(folder / STORED)
    splits = pd.read_parquet(shop.splits / SPLITS).set_index("product_id")["split"]
    photos[photos["product_id"].map(splits) == "train"].to_parquet(folder / TRAINED)
    IndexedGallery(photos, vectors).save(folder)
    write_trained_vectors(folder, folder)


def _answers(catalogue: Catalogue, vectors: NDArray[np.float32], window: pa.Table) -> list[list[str]]:
    """The nearest products of every query."""
    products = gallery_photos(catalogue, np.arange(len(catalogue.products))).products
    asked = np.stack(window["vector"].to_numpy()).astype(np.float32)  # (Q, D)
    ids = catalogue.products["product_id"].to_numpy()
    return [list(ids[row]) for row in rank_products(asked, Gallery(vectors, products, products), HITS).products]


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
