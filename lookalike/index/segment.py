"""A finished part of a faiss collection: vectors, ids, fields and the search structure, never changed once written.

vectors.npy      (N, D) float32, memory-mapped: only rows that are compared exactly need be in memory
rows.parquet     photo_id, product_id and the fields, in the order of photo ids, so that equal scores tie by row
search.faiss     graph, lists or codes, where the structure has any
"""

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.index.attributes import Attributes, Chosen, chosen_rows
from lookalike.index.faiss_settings import (
    BinarySettings,
    FaissSettings,
    FlatSettings,
    HnswSettings,
    IvfPqSettings,
)
from lookalike.index.faiss_structures import Binary, Flat, Found, Hnsw, IvfPq, Structure, exact
from lookalike.index.planner import goes_exact
from lookalike.index.protocol import Hit
from lookalike.index.ranking import round_scores
from lookalike.index.rows import Rows, texts

VECTORS = "vectors.npy"
ROWS = "rows.parquet"
SPARE = 8
"""Rows asked for beyond k, so that ties at the k-th place are all seen."""


def write_segment(folder: Path, rows: Rows, settings: FaissSettings) -> None:
    """Build the structure over these photos and write everything into an empty folder."""
    ordered = rows.keep(np.argsort(rows.photo_ids.astype(str)))
    np.save(folder / VECTORS, ordered.vectors, allow_pickle=False)
    columns = {"photo_id": ordered.photo_ids, "product_id": ordered.product_ids, **ordered.fields}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    pq.write_table(table, folder / ROWS)
    _build(_mapped(folder), settings).save(folder)


class Segment:
    """An open segment; safe to search from several threads."""

    def __init__(self, folder: Path, settings: FaissSettings) -> None:
        self._vectors = _mapped(folder)
        table = pq.read_table(folder / ROWS).combine_chunks()
        self._photo_ids, self._product_ids = (_whole(table[name]) for name in ("photo_id", "product_id"))
        fields = [name for name in table.column_names if name not in ("photo_id", "product_id")]
        self.attributes = Attributes({name: _whole(table[name]) for name in fields})
        self._structure = _load(folder, self._vectors, settings)
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
        places = [(photo, bisect_left(self._photo_ids, photo, key=_text)) for photo in photo_ids]
        return np.array([p for photo, p in places if p < len(self) and _text(self._photo_ids[p]) == photo], np.int64)

    def rows_of_products(self, product_ids: Sequence[str]) -> NDArray[np.int64]:
        """The rows of all photos of these products."""
        if len(product_ids) == 1:  # a plain comparison is five times faster than a set of one
            return np.flatnonzero(pc.equal(self._product_ids, product_ids[0]))
        return np.flatnonzero(pc.is_in(self._product_ids, pa.array(product_ids, pa.string())))

    def photos(self, rows: NDArray[np.int64]) -> list[str]:
        """The photo ids of these rows."""
        return list(self._photo_ids.take(pa.array(rows)).to_pylist())

    def rows(self, kept: NDArray[np.int64]) -> Rows:
        """The named rows, read into memory."""
        products = self._product_ids.take(pa.array(kept)).to_pylist()
        return Rows(texts(self.photos(kept)), texts(products), self._vectors[kept], self.attributes.columns(kept))

    def _ranked(self, queries: NDArray[np.float32], k: int, count: int, passing: int, chosen: Chosen | None) -> Found:
        """(Q, k) rounded cosines and rows, best first; where ties may go on beyond `count`, asked again for more."""
        scores, rows = self._nearest(queries, count, passing, chosen)
        scores = np.where(rows < 0, -np.inf, round_scores(scores)).astype(np.float32)
        order = np.lexsort((rows, -scores), axis=1)  # best first, ties by row
        scores, rows = np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)
        cut = np.flatnonzero(scores[:, -1] == scores[:, k - 1]) if count < passing else np.empty(0, dtype=np.int64)
        scores, rows = scores[:, :k], rows[:, :k]
        if len(cut):
            scores[cut], rows[cut] = self._ranked(queries[cut], k, min(2 * count, passing), passing, chosen)
        return scores, rows

    def _nearest(self, queries: NDArray[np.float32], count: int, passing: int, chosen: Chosen | None) -> Found:
        """(Q, count), planned; a structure that found too few is asked no further, the passing rows are compared."""
        if chosen and goes_exact(passing, self._exact_rows):
            return exact(self._vectors, queries, chosen.rows, count)
        scores, rows = self._structure.nearest(queries, count, chosen)
        short = np.flatnonzero((rows < 0).any(axis=1))
        if len(short):
            everything = chosen or chosen_rows(np.ones(len(self), dtype=bool))
            scores[short], rows[short] = exact(self._vectors, queries[short], everything.rows, count)
        return scores, rows

    def _hits(self, scores: NDArray[np.float32], rows: NDArray[np.int64]) -> list[list[Hit]]:
        flat = rows.ravel()
        taken = pa.array(flat)
        photos, products = (column.take(taken).to_pylist() for column in (self._photo_ids, self._product_ids))
        hits = list(map(Hit, photos, products, scores.ravel().tolist(), self.attributes.records(flat)))
        k = rows.shape[1]
        return [hits[start : start + k] for start in range(0, len(hits), k)]


def _build(vectors: NDArray[np.float32], settings: FaissSettings) -> Structure:
    match _used(settings, len(vectors)):
        case HnswSettings() as hnsw:
            return Hnsw.build(vectors, hnsw)
        case IvfPqSettings() as ivf:
            return IvfPq.build(vectors, ivf, settings.seed)
        case BinarySettings() as binary:
            return Binary.build(vectors, binary, settings.seed)
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
        case FlatSettings():
            return Flat(vectors)


def _used(settings: FaissSettings, count: int) -> FlatSettings | HnswSettings | IvfPqSettings | BinarySettings:
    """A collection so small that every search of it is exact gets no structure that would never be used."""
    return FlatSettings() if goes_exact(count, settings.exact_rows) else settings.structure


def _mapped(folder: Path) -> NDArray[np.float32]:
    vectors = np.load(folder / VECTORS, allow_pickle=False, mmap_mode="r")
    return np.asarray(vectors)  # a plain view of the map: memmap's own indexing is slower


def _whole(column: "pa.ChunkedArray") -> "pa.Array":
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())


def _text(value: "pa.StringScalar") -> str:
    return str(value.as_py())
