"""Acts on collections themselves: build, store, remove, fold, swap, go back, drop; each is whole or did not happen."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np

import lookalike.index.faiss as adapter
from lookalike.config import parse_config
from lookalike.errors import VectorIndexError
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_folder import COLLECTION
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch, VectorIndex
from lookalike.storage import ASIDE, digest_bytes, digest_json, read_json

ALIAS, OLD, NEW = "products_live", "products_old", "products_new"
FIELDS = ("vertical", "colour")
DIMENSION = 8
PHOTOS = 24
"""Stored per act."""
HNSW = parse_config(FaissSettings, {"structure": {"kind": "hnsw"}, "exact_rows": 0, "fold_rows": 40}, "killed")
"""A graph even over so few photos, so that its file is written too, and built anew by an upsert on the way."""


class Purging(VectorIndex, Protocol):
    def purge(self, collection: str) -> str: ...


def acts_on(index: Any) -> list[tuple[str, Callable[[], object]]]:
    """Name and deed, in order; repeating one that had happened unnoticed changes nothing."""
    return [
        ("create", partial(index.create, _info(OLD))),
        *[("upsert while building", partial(index.upsert, OLD, _photos(OLD, turn))) for turn in range(3)],
        ("seal", partial(index.seal, OLD)),
        ("point alias", partial(index.point_alias, ALIAS, OLD)),
        ("upsert", partial(index.upsert, OLD, _photos(OLD, 1, seed=7))),  # replaces photos
        ("delete", partial(index.delete, OLD, ["p003", "p030"])),
        ("upsert", partial(index.upsert, OLD, _photos(OLD, 3))),
        ("create", partial(index.create, _info(NEW))),
        *[("upsert while building", partial(index.upsert, NEW, _photos(NEW, turn))) for turn in range(2)],
        ("seal", partial(index.seal, NEW)),
        ("swap alias", partial(index.point_alias, ALIAS, NEW)),
        *[("upsert", partial(index.upsert, NEW, _photos(NEW, turn, 1))) for turn in range(6, 12)],
        ("fold", partial(index.seal, NEW)),
        ("swap alias back", partial(index.point_alias, ALIAS, OLD)),
        ("delete", partial(index.delete, OLD, ["p004"])),
        ("purge", partial(_purge, index, OLD)),
        ("swap alias", partial(index.point_alias, ALIAS, NEW)),
        ("drop", partial(_drop, index, OLD)),
        ("create", partial(index.create, _info(OLD))),
        ("upsert while building", partial(index.upsert, OLD, _photos(OLD, 5))),
        ("seal", partial(index.seal, OLD)),
        ("delete", partial(index.delete, NEW, ["p001"])),
        ("fold", partial(index.seal, NEW)),
    ]


class FaissCollections:
    """The acts on a faiss folder."""

    name = "faiss collections"

    def __init__(self) -> None:
        self.acts: Sequence[str] = [name for name, _ in acts_on(MemoryIndex())]

    def empty(self, root: Path) -> None:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)

    def opened(self, root: Path) -> AbstractContextManager[Sequence[Callable[[], object]]]:
        return _opened(root)

    def view(self, root: Path) -> Any:
        with FaissIndex(root) as index:
            return view_of(index)

    def explain(self, act: int, before: Any, after: Any, seen: Any) -> str:
        return "" if seen in (before, after) else f"neither the state before nor after: {seen!r}"

    def left(self, root: Path) -> list[str]:
        stray = [path for pattern in ASIDE for path in root.rglob(pattern)]
        for manifest in root.glob(f"[!.]*/{COLLECTION}"):
            values = read_json(manifest)
            named = {COLLECTION, values["segment"], *values["parts"]}
            stray += [path for path in manifest.parent.iterdir() if path.name not in named]
        return sorted(str(path.relative_to(root)) for path in stray)


def view_of(index: VectorIndex) -> dict[str, Any]:
    """What the alias names, what it answers, and all that finished collections hold."""
    held = {name: content for name in index.collections() if (content := _content(index, name)) is not None}
    alias = index.resolve_alias(ALIAS)
    query = np.eye(2, DIMENSION, dtype=np.float32)
    told = [[hit.photo_id for hit in hits] for hits in index.search(ALIAS, query, 5)] if alias else None
    return {"alias": alias, "told": told, "held": held}


def expected_views() -> list[dict[str, Any]]:
    """The views before the first act and after each, by the exact index in memory."""
    twin = MemoryIndex()
    views = [view_of(twin)]
    for _, act in acts_on(twin):
        act()
        views.append(view_of(twin))
    return views


@contextmanager
def _opened(root: Path) -> Iterator[Sequence[Callable[[], object]]]:
    faiss.omp_set_num_threads(1)  # forked processes have lost the others
    adapter.MOST_PARTS = 4
    with FaissIndex(root, HNSW) as index:
        yield [act for _, act in acts_on(index)]


def _content(index: VectorIndex, name: str) -> str | None:
    """A digest of all photos; None for a collection that is not finished."""
    try:
        [hits] = index.search(name, np.eye(1, DIMENSION, dtype=np.float32), max(1, index.count(name)))
    except VectorIndexError as error:
        if "unfinished" in str(error):
            return None
        raise
    photos = sorted((hit.photo_id, hit.product_id, sorted(hit.fields.items())) for hit in hits)
    products = sorted({hit.product_id for hit in hits})
    vectors = [digest_bytes(index.vectors(name, product).tobytes()) for product in products]
    return f"{len(photos)} photos {digest_json([photos, vectors])[:12]}"


def _info(name: str) -> CollectionInfo:
    return CollectionInfo(name, f"release-of-{name}", "model", DIMENSION, FIELDS)


def _photos(collection: str, turn: int, count: int = PHOTOS, seed: int = 0) -> GalleryBatch:
    """Photos of products p(24·turn) and on, their ids telling the collection."""
    random = np.random.default_rng([seed, turn, collection == NEW])
    vectors = random.standard_normal((count, DIMENSION)).astype(np.float32)
    products = [f"p{turn * PHOTOS + row:03}" for row in range(count)]
    return GalleryBatch(
        [f"{collection}/{product}" for product in products],
        products,
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        {"vertical": ["shoe"] * count, "colour": [("red", "blue", None)[(row + seed) % 3] for row in range(count)]},
    )


def _purge(index: Any, name: str) -> None:
    if hasattr(index, "recover"):
        index.recover()
    if hasattr(index, "purge"):
        index.purge(name)


def _drop(index: VectorIndex, name: str) -> None:
    if name in index.collections():
        index.drop(name)
