"""The catalogue's own vectors: embedded, brought to D dimensions, some held back as queries."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.index.plan import Plan
from lookalike import stages
from lookalike.catalog.products import attribute_column, load_catalogue
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ArtifactError
from lookalike.index.embedding import embed_gallery
from lookalike.index.gallery import PHOTO_IDS, VECTORS, load_gallery
from lookalike.storage import run_stage

GALLERY, QUERIES, FIELDS = "gallery.npy", "queries.npy", "fields.parquet"
BATCH = 256


@dataclass(frozen=True)
class Vectors:
    """N vectors to search and the queries that are not among them; all of unit length."""

    gallery: NDArray[np.float32]  # (N, D)
    queries: NDArray[np.float32]  # (Q, D)
    fields: pd.DataFrame
    """(N, A): the attributes of every gallery vector; None where unknown."""

    def __len__(self) -> int:
        return len(self.gallery)


def load_vectors(folder: Path) -> Vectors:
    """Read what `real_vectors` or `grown_vectors` wrote; the gallery is mapped, not read."""
    gallery = np.asarray(np.load(folder / GALLERY, allow_pickle=False, mmap_mode="r"))
    return Vectors(gallery, np.load(folder / QUERIES, allow_pickle=False), pd.read_parquet(folder / FIELDS))


def real_vectors(plan: Plan) -> Path:
    """Embed the catalogue's gallery photos, project them and hold queries back; finished parts are kept."""
    catalogue = _catalogue(plan)
    stages.validate(catalogue, str(plan.places.validated))
    embedded, study = _embedded(plan), plan.study
    run_stage(
        "bench-index-real",
        plan.places.real,
        inputs={"embedded": embedded, "validated": plan.places.validated},
        settings={"dimension": study.dimension, "queries": study.queries, "seed": study.seed},
        content=[GALLERY, QUERIES, FIELDS],
        work=lambda folder: _split(plan, embedded, folder),
    )
    return plan.places.real


def _catalogue(plan: Plan) -> str:
    if not plan.quick:
        return plan.catalogue
    from benchmarks.embedding.quick import QUICK_SHOP
    from lookalike.catalog.sample import draw_shop

    if not plan.places.drawn_shop.is_dir():
        draw_shop(plan.places.drawn_shop, QUICK_SHOP)
    return str(plan.places.drawn_shop)


def _embedded(plan: Plan) -> Path:
    inputs = {"validated": plan.places.validated} | ({"checkpoint": plan.checkpoint} if plan.checkpoint else {})
    run_stage(
        "bench-index-embed",
        plan.places.embedded,
        inputs=inputs,
        settings={"trained": plan.checkpoint is not None},
        content=[VECTORS, PHOTO_IDS],
        work=lambda folder: _embed(plan, folder),
    )
    return plan.places.embedded


def _embed(plan: Plan, folder: Path) -> dict[str, Any]:
    gallery, _ = embed_gallery(load_catalogue(plan.places.validated), _embedder(plan), BATCH)
    gallery.save(folder)
    return {"photos": len(gallery.photos)}


def _embedder(plan: Plan) -> Embedder:
    from benchmarks.embedding.frozen import FrozenEncoder
    from benchmarks.embedding.quick import TINY
    from benchmarks.embedding.settings import Experiment
    from lookalike.training.embedder import TorchEmbedder

    if plan.checkpoint:
        return TorchEmbedder(plan.checkpoint)
    return FrozenEncoder(TINY if plan.quick else Experiment().frozen["frozen"], plan.encoders)


def _split(plan: Plan, embedded: Path, folder: Path) -> dict[str, Any]:
    gallery, study = load_gallery(embedded), plan.study
    vectors, kept = principal_axes(gallery.vectors, study.dimension)
    if len(vectors) <= study.queries:
        raise ArtifactError(f"the catalogue has {len(vectors)} photos; more than {study.queries} queries are needed")
    rows = np.random.default_rng(study.seed).permutation(len(vectors))
    queries, stored = np.sort(rows[: study.queries]), np.sort(rows[study.queries :])
    np.save(folder / QUERIES, vectors[queries], allow_pickle=False)
    np.save(folder / GALLERY, vectors[stored], allow_pickle=False)
    _fields(plan, gallery.photos["product_id"].iloc[stored]).to_parquet(folder / FIELDS, index=False)
    return {"gallery": len(stored), "queries": len(queries), "from": gallery.vectors.shape[1], "kept": kept}


def principal_axes(vectors: NDArray[np.float32], dimension: int) -> tuple[NDArray[np.float32], float]:
    """(N, D) unit vectors that keep cosines best, and the least share of a squared length that is kept."""
    if vectors.shape[1] <= dimension:
        return vectors, 1.0
    _, axes = np.linalg.eigh(vectors.T @ vectors)  # not centred: cosines are about the origin
    projected = vectors @ axes[:, ::-1][:, :dimension]
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    return (projected / lengths).astype(np.float32), float(lengths.min() ** 2)


def _fields(plan: Plan, product_ids: "pd.Series[str]") -> pd.DataFrame:
    catalogue = load_catalogue(plan.places.validated)
    products = catalogue.products.set_index("product_id").loc[product_ids.tolist()]
    columns = {name: products[attribute_column(name)] for name in catalogue.attributes}
    known = {name: [value if isinstance(value, str) else None for value in column] for name, column in columns.items()}
    return pd.DataFrame(known, dtype=object)
