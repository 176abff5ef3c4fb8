"""What every vector index refuses, in one place, so that all of them refuse alike."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.index.predicates import Where, fields_of
from lookalike.index.protocol import CollectionInfo, GalleryBatch

UNIT_TOLERANCE = 1e-3
"""How far a vector's length may be from 1; float32 normalisation stays within 1e-6."""
MOST_NEIGHBOURS = 10_000
"""Largest k; Milvus itself stops at 16,384."""
LONGEST_TEXT = 512
"""Longest id or attribute value in bytes of UTF-8; a Milvus varchar needs a bound."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
RESERVED = frozenset({"photo_id", "product_id", "vector"})
"""Field names every collection has, whatever its attributes are called."""


def check_name(name: str, what: str) -> None:
    """Collections, aliases and fields are plain identifiers: they are spelled into Milvus requests."""
    if not _NAME.fullmatch(name):
        raise VectorIndexError(f"{what} {name!r} must be a letter or underscore, then letters, digits or underscores")


def check_info(info: CollectionInfo) -> None:
    """Refuse a collection whose name, dimension or fields no index could hold."""
    check_name(info.name, "collection")
    if not 2 <= info.dimension <= 32_768:
        raise VectorIndexError(f"collection {info.name}: dimension {info.dimension} is outside 2..32768")
    for field in info.fields:
        check_name(field, "field")
    clash = sorted(RESERVED & set(info.fields)) + sorted(f for f, n in Counter(info.fields).items() if n > 1)
    if clash:
        raise VectorIndexError(f"collection {info.name}: fields {clash} are reserved or named twice")


def check_vectors(vectors: NDArray[np.float32], dimension: int, what: str) -> None:
    """Refuse anything but (N, D) finite unit vectors; `what` names them in the message."""
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise VectorIndexError(f"{what} have shape {vectors.shape}; the collection stores (N, {dimension})")
    squares = np.vecdot(vectors, vectors)  # (N,)
    least, most = np.minimum.reduce(squares, initial=1), np.maximum.reduce(squares, initial=1)  # NaN where one is
    if least > 1 - UNIT_TOLERANCE and most < 1 + UNIT_TOLERANCE:
        return
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)  # (N,)
    if not np.isfinite(lengths).all():
        raise VectorIndexError(f"{what}: row {int(np.argmin(np.isfinite(lengths)))} holds a value that is not finite")
    worst = int(np.argmax(np.abs(lengths - 1))) if len(lengths) else 0
    if len(lengths) and abs(lengths[worst] - 1) > UNIT_TOLERANCE:
        raise VectorIndexError(f"{what}: row {worst} has length {lengths[worst]:.4f}; unit length is accepted")


def check_batch(batch: GalleryBatch, info: CollectionInfo) -> None:
    """Refuse a batch whose columns disagree with one another or with the collection."""
    check_vectors(batch.vectors, info.dimension, f"vectors for {info.name}")
    if set(batch.fields) != set(info.fields):
        raise VectorIndexError(f"the batch has fields {sorted(batch.fields)}; {info.name} stores {sorted(info.fields)}")
    columns = {"photo_id": batch.photo_ids, "product_id": batch.product_ids, **batch.fields}
    for name, values in columns.items():
        if len(values) != len(batch.vectors):
            raise VectorIndexError(f"the batch has {len(batch.vectors)} vectors but {len(values)} values of {name}")
        _check_texts(name, values, required=name in RESERVED)
    if len(set(batch.photo_ids)) != len(batch.photo_ids):
        twice = Counter(batch.photo_ids).most_common(1)[0][0]
        raise VectorIndexError(f"photo {twice!r} occurs twice in one batch")


def checked(batches: Iterable[GalleryBatch], info: CollectionInfo) -> Iterator[GalleryBatch]:
    """The batches, each looked at before it is handed on."""
    for batch in batches:
        check_batch(batch, info)
        yield batch


def _check_texts(name: str, values: Sequence[str | None], required: bool) -> None:
    for value in values:
        if value is None and not required:
            continue
        if not isinstance(value, str) or not value:
            raise VectorIndexError(f"{name} is {value!r}; text that is not empty is accepted")
        if len(value.encode()) > LONGEST_TEXT:
            raise VectorIndexError(f"{name} {value[:40]!r}… is longer than {LONGEST_TEXT} bytes")


def check_search(info: CollectionInfo, queries: NDArray[np.float32], k: int, where: Where) -> None:
    """Refuse a search the collection cannot answer."""
    check_vectors(queries, info.dimension, f"queries to {info.name}")
    if not 1 <= k <= MOST_NEIGHBOURS:
        raise VectorIndexError(f"k is {k}; 1..{MOST_NEIGHBOURS} is accepted")
    unknown = sorted(fields_of(where) - set(info.fields)) if where else ()
    if unknown:
        raise VectorIndexError(f"{info.name} has no field {unknown[0]!r} to filter by; it has {sorted(info.fields)}")
