"""A finished part of a faiss collection: vectors, ids, fields and the search structure, never changed once written.

vectors.npy      (N, D) float32, memory-mapped: only rows that are compared exactly need be in memory
rows.parquet     photo_id, product_id and the fields, in the order of photo ids, so that equal scores tie by row
search.faiss     graph, lists or codes, where the structure has any
cells.npz        cells for filters whose photos a structure does not find, where it may miss any
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import repeat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.durable import flush
from lookalike.index.attributes import Attributes, Chosen, chosen_rows
from lookalike.index.cells import CELLS, Cells
from lookalike.index.comparing import Found, best, exact
from lookalike.index.faiss_scalar import Scalar
from lookalike.index.faiss_settings import (
    BinarySettings,
    FaissSettings,
    FlatSettings,
    HnswSettings,
    IvfPqSettings,
    ScalarSettings,
    StructureSettings,
)
from lookalike.index.faiss_structures import Binary, Flat, Hnsw, IvfPq, Structure
from lookalike.index.graph import GROWING
from lookalike.index.ids import Ids
from lookalike.index.planner import WITNESSES, goes_exact
from lookalike.index.protocol import Hit
from lookalike.index.ranking import order_rows
from lookalike.index.rows import Rows, texts
from lookalike.storage import atomic_file

VECTORS = "vectors.npy"
ROWS = "rows.parquet"
SPARE = 2
"""Rows asked for beyond k, so that a tie at the k-th place is noticed and asked again; 8 of them cost a graph 7 %."""


def write_segment(folder: Path, rows: Callable[[], Rows], settings: FaissSettings) -> None:
    """Build the structure over these photos and write everything into a folder that is empty, or go on in it.

    A build that is gone on with does not read the photos again; a graph of many is kept in `graph.GROWING` until then.
    """
    if not (folder / ROWS).is_file():
        _write_rows(folder, rows())
    vectors = _mapped(folder)
    structure = _build(vectors, settings, folder)
    structure.save(folder)
    if not isinstance(structure, Flat) and not (folder / CELLS).is_file():
        Cells.build(vectors, settings.seed).save(folder)


def _write_rows(folder: Path, rows: Rows) -> None:
    """The vectors, then what they belong to, which says that both are whole."""
    ordered = rows.keep(np.argsort(rows.photo_ids.astype(str)))
    np.save(folder / VECTORS, ordered.vectors, allow_pickle=False)
    columns = {"photo_id": ordered.photo_ids, "product_id": ordered.product_ids, **ordered.fields}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    with atomic_file(folder / ROWS) as aside:
        flush(folder / VECTORS)
        pq.write_table(table, aside)


class Segment:
    """An open segment; safe to search from several threads."""

    def __init__(self, folder: Path, settings: FaissSettings) -> None:
        self._vectors = _mapped(folder)
        table = pq.read_table(folder / ROWS).combine_chunks()
        self._ids = Ids(table["photo_id"].to_pylist(), table["product_id"].to_pylist())
        fields = [name for name in table.column_names if name not in ("photo_id", "product_id")]
        self.attributes = Attributes({name: _whole(table[name]) for name in fields})
        self._structure = _load(folder, self._vectors, settings)
        self._cells = Cells.load(folder)
        self._exact_rows = settings.exact_rows

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, queries: NDArray[np.float32], k: int, chosen: Chosen | None) -> list[list[Hit]]:
        """For each of the (Q, D) queries its k best hits among the chosen rows, all where None."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        passing = chosen.count if chosen else len(self)
        if not passing:
            return [[] for _ in queries]
        return self._hits(*self._ranked(queries, min(k, passing), min(k + SPARE, passing), passing, chosen))

    def rows_of_photos(self, photo_ids: Sequence[str]) -> NDArray[np.int64]:
        """The rows of those photos that are here."""
        return self._ids.rows_of_photos(photo_ids)

    def rows_of_products(self, product_ids: Sequence[str]) -> NDArray[np.int64]:
        """The rows of all photos of these products."""
        return self._ids.rows_of_products(product_ids)

    def photos(self, rows: NDArray[np.int64]) -> list[str]:
        """The photo ids of these rows."""
        return self._ids.take(rows)[0]

    def rows(self, kept: NDArray[np.int64]) -> Rows:
        """The named rows, read into memory."""
        photos, products = map(texts, self._ids.take(kept))
        return Rows(photos, products, self._vectors[kept], self.attributes.columns(kept))

    def _ranked(self, queries: NDArray[np.float32], k: int, count: int, passing: int, chosen: Chosen | None) -> Found:
        """(Q, k) rounded cosines and rows, best first; where ties may go on beyond `count`, asked again for more."""
        scores, rows = order_rows(*self._nearest(queries, count, passing, chosen))
        tied = scores[:, -1] == scores[:, k - 1]
        scores, rows = scores[:, :k], rows[:, :k]
        if count < passing and np.logical_or.reduce(tied):
            scores[tied], rows[tied] = self._ranked(queries[tied], k, min(2 * count, passing), passing, chosen)
        return scores, rows

    def _nearest(self, queries: NDArray[np.float32], count: int, passing: int, chosen: Chosen | None) -> Found:
        """At least (Q, count), planned; where a structure finds too few, see `_farther`."""
        wanted = min(WITNESSES * count, passing) if chosen else count
        if chosen and goes_exact(passing, self._worth_comparing(wanted, chosen.share)):
            return exact(self._vectors, queries, chosen.rows, count)
        scores, rows = self._structure.nearest(queries, wanted, chosen)
        if np.minimum.reduce(rows, axis=None) < 0:
            short = (rows < 0).any(axis=1)
            scores, rows = best(scores, rows, count)
            scores[short], rows[short] = self._farther(queries[short], count, passing, chosen)
        return scores, rows

    def _farther(self, queries: NDArray[np.float32], count: int, passing: int, chosen: Chosen | None) -> Found:
        """For queries whose answers lie far off: the passing rows nearest to them, cell by cell, or all where few."""
        rows = chosen or self._everything
        if self._cells is None or passing <= self._cells.looked_at(count):
            return exact(self._vectors, queries, rows.rows, count)
        return self._cells.nearest(self._vectors, queries, count, rows)

    @cached_property
    def _everything(self) -> Chosen:
        return chosen_rows(np.ones(len(self), dtype=bool))

    def _worth_comparing(self, wanted: int, share: float) -> float:
        """How many rows are compared rather than searched for."""
        return max(self._exact_rows, self._structure.effort(wanted, share)) if self._exact_rows else 0

    def _hits(self, scores: NDArray[np.float32], rows: NDArray[np.int64]) -> list[list[Hit]]:
        flat = rows.ravel()
        told = (*self._ids.take(flat), scores.ravel().tolist(), repeat(self.attributes), flat.tolist())
        hits = list(map(Hit, *told))
        k = rows.shape[1]
        return [hits[start : start + k] for start in range(0, len(hits), k)]


def _build(vectors: NDArray[np.float32], settings: FaissSettings, folder: Path) -> Structure:
    match _used(settings, len(vectors)):
        case HnswSettings() as hnsw:
            return Hnsw.build(vectors, hnsw, folder / GROWING)
        case IvfPqSettings() as ivf:
            return IvfPq.build(vectors, ivf, settings.seed)
        case BinarySettings() as binary:
            return Binary.build(vectors, binary, settings.seed)
        case ScalarSettings() as scalar:
            return Scalar.build(vectors, scalar)
        case FlatSettings():
            return Flat(vectors)


def _load(folder: Path, vectors: NDArray[np.float32], settings: FaissSettings) -> Structure:
    match _used(settings, len(vectors)):
        case HnswSettings() as hnsw:
            return Hnsw.load(folder, hnsw)
        case IvfPqSettings() as ivf:
            return IvfPq.load(folder, vectors, ivf)
        case BinarySettings() as binary:
            return Binary.load(folder, vectors, binary)
        case ScalarSettings() as scalar:
            return Scalar.load(folder, vectors, scalar)
        case FlatSettings():
            return Flat(vectors)


def _used(settings: FaissSettings, count: int) -> StructureSettings:
    """A collection so small that every search of it is exact gets no structure that would never be used."""
    return FlatSettings() if goes_exact(count, settings.exact_rows) else settings.structure


def _mapped(folder: Path) -> NDArray[np.float32]:
    vectors = np.load(folder / VECTORS, allow_pickle=False, mmap_mode="r")
    return np.asarray(vectors)  # a plain view of the map: memmap's own indexing is slower


def _whole(column: "pa.ChunkedArray") -> "pa.Array":
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
