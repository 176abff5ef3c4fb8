"""Index: embed every gallery photo and build the release's collection beside the live one."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from lookalike.catalog.group_fields import DESIGN
from lookalike.catalog.groups import product_groups
from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.config import StrictConfig
from lookalike.damage.profiles import damage_photo
from lookalike.embedders.model_folder import CHECKPOINT, load_model
from lookalike.embedders.protocol import Embedder
from lookalike.errors import ArtifactError, ConfigError, VectorIndexError
from lookalike.index.embedding import embed_gallery
from lookalike.index.gallery import PHOTO_IDS, VECTORS, Gallery, gallery_batches, gallery_fields, load_gallery
from lookalike.index.pieces import Pieces
from lookalike.index.proof import Recall, measure_recall, require_count, require_golden, require_identity
from lookalike.index.protocol import CollectionInfo, GalleryBatch, VectorIndex
from lookalike.index.shards import join_shards
from lookalike.index.staging import BulkSettings
from lookalike.index.stored import stored_photos
from lookalike.index.trained_vectors import write_trained_vectors
from lookalike.progress import progress
from lookalike.release.manifest import STORED, collection_name, release_id
from lookalike.storage import SEAL, StageRecord, digest_json, read_json, read_seal, run_stage, unfinished, write_json

INDEX = "index.json"
COLLECTION_PREFIX = collection_name("")


class IndexSettings(StrictConfig):
    """How photos are embedded and how the finished collection is examined."""

    batch: int = Field(default=256, ge=1)
    """Photos per embedding call."""
    rows: int = Field(default=2_000, ge=1)
    """Photos per storing call."""
    titles: bool = True
    """Whether a title that differs in its colour alone names one design, so that searches may fold its products."""
    recall_queries: int = Field(default=200, ge=1)
    """Gallery photos, damaged as resellers damage them, that are searched to measure recall."""
    min_recall_at_10: float = Field(default=0.95, ge=0, le=1)
    """A collection that finds less of the exact ten nearest photos is dropped."""
    golden: int = Field(default=20, ge=1)
    """Photos that must be stored unchanged and find themselves."""
    seed: int = 0
    """Which photos are examined, and how they are damaged."""
    bulk: BulkSettings | None = None
    """Where files for a Milvus server to import are laid; it is filled by upserts where there is no such place."""


@runtime_checkable
class Fills(Protocol):
    """An index that takes a whole collection from files."""

    def fill(self, info: CollectionInfo, batches: Iterable[GalleryBatch], settings: BulkSettings) -> None:
        """Make a collection of these photos, or go on where that was interrupted."""
        ...


def build_index(
    validated: Path,
    exported: Path,
    output: Path,
    index: VectorIndex,
    embedder: Embedder,
    settings: IndexSettings | None = None,
    shards: Sequence[Path] = (),
) -> StageRecord:
    """Build and examine the collection of this model and catalogue; no alias moves.

    Writes `index.json`, `vectors.npy`, `photo_ids.parquet`, `stored.parquet` and, of a model that says what it was
    trained on, `trained_vectors.parquet`; photos embedded by an earlier run with the same model are not embedded
    again, nor those of a run that was interrupted. `shards` are all of this catalogue's, from `embed_shard`: with them
    only the embedding is spared, the result is the same. Raises ReleaseMismatch when the embedder is not the exported
    model, ArtifactError for shards that are not all of this gallery's, ConfigError for `bulk` where no Milvus server
    is, and VectorIndexError, with the collection dropped, when it does not pass its examination.
    """
    settings = settings or IndexSettings()
    if settings.bulk is not None:
        _fills(index)
    model = load_model(exported)
    embedder.identity.require(model.fingerprint, str(exported))
    catalogue = load_catalogue(validated)
    digest = read_seal(validated).content
    release = release_id(model.fingerprint, digest)
    info = CollectionInfo(
        collection_name(release), release, model.fingerprint, model.dimension, gallery_fields(catalogue)
    )
    if _recorded(output) == info.name and not _stands(index, info, len(catalogue.gallery_photos)):
        (output / SEAL).unlink(missing_ok=True)  # a record whose collection is gone is not a finished output

    pieces = Pieces(unfinished(output, digest_json([release, settings.batch])))

    def embed() -> tuple[Gallery, int]:
        known = join_shards(shards, model.fingerprint, digest) if shards else _known(output, info)
        return embed_gallery(catalogue, embedder, settings.batch, known, pieces)

    def work(folder: Path) -> dict[str, Any]:
        figures = _build(catalogue, embed, folder, index, embedder, info, settings)
        return {**figures, "trained_vectors": write_trained_vectors(folder, exported / CHECKPOINT)}

    record = run_stage(
        "index",
        output,
        inputs={"validated": validated, "exported": exported},
        settings=settings.model_dump(),
        content=[INDEX, VECTORS, PHOTO_IDS, STORED],
        work=work,
    )
    pieces.clear()
    return record


def _build(
    catalogue: Catalogue,
    embed: Callable[[], tuple[Gallery, int]],
    folder: Path,
    index: VectorIndex,
    embedder: Embedder,
    info: CollectionInfo,
    settings: IndexSettings,
) -> dict[str, Any]:
    if catalogue.gallery_photos.empty:
        raise ArtifactError(f"{catalogue.folder} has no gallery photos to index")
    fresh = not _stands(index, info, len(catalogue.gallery_photos))
    if not fresh:
        index.seal(info.name)  # where this was interrupted it goes on, and what was already done is not read for it
    groups = product_groups(catalogue, settings.titles)
    if not fresh and not _folds(index, info.name, catalogue, groups, settings):
        _drop_otherwise_folded(index, info.name, settings.titles)
        fresh = True
    started = time.perf_counter()
    gallery, embedded = embed()
    embedding_seconds = time.perf_counter() - started
    started = time.perf_counter()
    if fresh:
        _store(catalogue, gallery, groups, index, info, settings)
        index.seal(info.name)
    storing_seconds = time.perf_counter() - started
    try:
        recall = _examine(catalogue, gallery, index, embedder, info, settings)
    except VectorIndexError:
        if fresh:
            index.drop(info.name)
        raise
    gallery.save(folder)
    stored_photos(catalogue, groups).to_parquet(folder / STORED, index=False)
    outcome = {
        "collection": info.name,
        "release_id": info.release_id,
        "model_fingerprint": info.model_fingerprint,
        "count": len(gallery.photos),
        "recall_at_10": {"value": recall.value, "n": recall.n},
    }
    write_json(folder / INDEX, outcome)
    seconds = {"embedding_seconds": round(embedding_seconds, 3), "storing_seconds": round(storing_seconds, 3)}
    return {**outcome, **seconds, "embedded": embedded}


def _store(
    catalogue: Catalogue,
    gallery: Gallery,
    groups: pd.DataFrame,
    index: VectorIndex,
    info: CollectionInfo,
    settings: IndexSettings,
) -> None:
    batches = gallery_batches(catalogue, gallery, groups, settings.rows)
    if settings.bulk is not None:
        _fills(index).fill(info, batches, settings.bulk)
        return
    if info.name in index.collections():
        index.drop(info.name)  # unfinished, or damaged since; refused while an alias points to it
    index.create(info)
    for batch in progress(batches, "storing photos", total=-(-len(gallery.photos) // settings.rows)):
        index.upsert(info.name, batch)


def _fills(index: VectorIndex) -> Fills:
    if not isinstance(index, Fills):
        raise ConfigError("settings.index.bulk: only a Milvus server is filled from files; take it out")
    return index


def _examine(
    catalogue: Catalogue,
    gallery: Gallery,
    index: VectorIndex,
    embedder: Embedder,
    info: CollectionInfo,
    settings: IndexSettings,
) -> Recall:
    """Raise VectorIndexError unless the collection is complete, unchanged and finds what exact search finds."""
    rows = np.random.default_rng(settings.seed).permutation(len(gallery.photos))
    require_identity(index, info)
    require_count(index, info.name, len(gallery.photos))
    require_golden(index, info, gallery, rows[: settings.golden])
    queries = _damaged_queries(catalogue, gallery, embedder, rows[: settings.recall_queries], settings.seed)
    recall = measure_recall(index, info.name, gallery, queries)
    if recall.value < settings.min_recall_at_10:
        raise VectorIndexError(
            f"collection {info.name} finds {recall.value:.3f} of the exact ten nearest photos over {recall.n} "
            f"queries; at least {settings.min_recall_at_10} is accepted (raise HNSW's ef or m, or use FLAT)"
        )
    return recall


def _damaged_queries(
    catalogue: Catalogue, gallery: Gallery, embedder: Embedder, rows: NDArray[np.intp], seed: int
) -> NDArray[np.float32]:
    """(Q, D) vectors of gallery photos as resellers would send them: near the gallery, but not in it."""
    contents = catalogue.photo_contents(gallery.photos.loc[rows, "photo_id"].tolist())
    damaged = [damage_photo(content, "reseller", [seed, number]) for number, content in enumerate(contents.values())]
    return embedder.embed(embedder.identity.preprocessing.batch(damaged)).vectors


def _stands(index: VectorIndex, info: CollectionInfo, count: int) -> bool:
    """Whether the collection is there, is this release's and holds every photo."""
    return info.name in index.collections() and index.describe(info.name) == info and index.count(info.name) == count


def _folds(
    index: VectorIndex, collection: str, catalogue: Catalogue, groups: pd.DataFrame, settings: IndexSettings
) -> bool:
    """Whether a collection, whose name does not say `titles`, holds these groups.

    Only titles make designs of several items, so products of such designs are looked at.
    """
    by_title = groups if settings.titles else product_groups(catalogue)
    items = by_title.drop_duplicates()
    several = items[items.duplicated(DESIGN, keep=False)].sort_values(DESIGN, kind="stable")
    looked = groups.loc[several.index[: settings.golden], DESIGN]
    stored = {product: index.photos(collection, product) for product in looked.index}
    return all(photos[0].fields[DESIGN] == looked[product] for product, photos in stored.items() if photos)


def _drop_otherwise_folded(index: VectorIndex, collection: str, titles: bool) -> None:
    try:
        index.drop(collection)
    except VectorIndexError as error:
        raise VectorIndexError(
            f"{error}, and folds products otherwise than settings.index.titles: {titles} asks; "
            "put the setting back, it can change with the next model or catalogue"
        ) from error


def _recorded(output: Path) -> str | None:
    """The collection an earlier run wrote down."""
    return str(read_json(output / INDEX)["collection"]) if (output / INDEX).is_file() else None


def _known(earlier: Path, info: CollectionInfo) -> Gallery | None:
    """An earlier run's vectors, when the same model made them."""
    if not (earlier / INDEX).is_file() or read_json(earlier / INDEX)["model_fingerprint"] != info.model_fingerprint:
        return None
    return load_gallery(earlier)
