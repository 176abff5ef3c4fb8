"""The exact index in memory: the twin for tests and the yardstick that recall is measured against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.index.checks import check_batch, check_info, check_name, check_search
from lookalike.index.protocol import CollectionInfo, GalleryBatch, Hit, Where
from lookalike.index.ranking import round_scores


@dataclass(frozen=True)
class _Collection:
    """An immutable snapshot: writers replace it whole, so a search never sees half of a change."""

    info: CollectionInfo
    photo_ids: NDArray[np.object_]  # (N,)
    product_ids: NDArray[np.object_]  # (N,)
    vectors: NDArray[np.float32]  # (N, D)
    fields: Mapping[str, NDArray[np.object_]]  # per field (N,)
    sealed: bool = False

    def keep(self, rows: NDArray[np.bool_]) -> "_Collection":
        return replace(
            self,
            photo_ids=self.photo_ids[rows],
            product_ids=self.product_ids[rows],
            vectors=self.vectors[rows],
            fields={name: values[rows] for name, values in self.fields.items()},
        )

    def add(self, batch: GalleryBatch) -> "_Collection":
        kept = self.keep(~_among(self.photo_ids, batch.photo_ids))
        return replace(
            kept,
            photo_ids=np.concatenate([kept.photo_ids, _texts(batch.photo_ids)]),
            product_ids=np.concatenate([kept.product_ids, _texts(batch.product_ids)]),
            vectors=np.concatenate([kept.vectors, batch.vectors.astype(np.float32)]),
            fields={name: np.concatenate([kept.fields[name], _texts(batch.fields[name])]) for name in kept.fields},
        )

    def hit(self, row: int, score: float) -> Hit:
        fields = {name: values[row] for name, values in self.fields.items()}
        return Hit(self.photo_ids[row], self.product_ids[row], float(score), fields)


class MemoryIndex:
    """A VectorIndex that compares with every stored photo: O(N) per query, nothing on disk."""

    def __init__(self) -> None:
        self._collections: dict[str, _Collection] = {}
        self._aliases: dict[str, str] = {}

    def create(self, info: CollectionInfo) -> None:
        check_info(info)
        if info.name in self._aliases:
            raise VectorIndexError(f"{info.name} is an alias; a collection needs another name")
        if info.name in self._collections and self._collections[info.name].sealed:
            raise VectorIndexError(f"collection {info.name} is finished already; drop it before making it again")
        empty = np.empty(0, dtype=object)
        vectors = np.empty((0, info.dimension), dtype=np.float32)
        self._collections[info.name] = _Collection(info, empty, empty, vectors, dict.fromkeys(info.fields, empty))

    def upsert(self, collection: str, batch: GalleryBatch) -> None:
        stored = self._stored(collection)
        check_batch(batch, stored.info)
        self._collections[collection] = stored.add(batch)

    def delete(self, collection: str, product_ids: Sequence[str]) -> None:
        stored = self._stored(collection)
        self._collections[collection] = stored.keep(~_among(stored.product_ids, product_ids))

    def seal(self, collection: str) -> None:
        self._collections[collection] = replace(self._stored(collection), sealed=True)

    def search(
        self, collection: str, queries: NDArray[np.float32], k: int, where: Where | None = None
    ) -> list[list[Hit]]:
        stored = self._readable(collection)
        check_search(stored.info, queries, k, where)
        if not stored.sealed:
            raise VectorIndexError(f"collection {stored.info.name} is unfinished; seal it before searching")
        kept = stored.keep(_matching(stored, where)) if where else stored
        scores = round_scores(queries.astype(np.float32) @ kept.vectors.T)  # (Q, N)
        return [[kept.hit(row, line[row]) for row in _nearest(line, kept.photo_ids, k)] for line in scores]

    def vectors(self, collection: str, product_id: str) -> NDArray[np.float32]:
        stored = self._readable(collection)
        mine = stored.keep(_among(stored.product_ids, [product_id]))
        return mine.vectors[np.argsort(mine.photo_ids.astype(str))]

    def describe(self, collection: str) -> CollectionInfo:
        return self._readable(collection).info

    def count(self, collection: str) -> int:
        return len(self._readable(collection).photo_ids)

    def collections(self) -> list[str]:
        return sorted(self._collections)

    def drop(self, collection: str) -> None:
        self._stored(collection)
        pointing = sorted(alias for alias, target in self._aliases.items() if target == collection)
        if pointing:
            raise VectorIndexError(f"collection {collection} is in use by alias {', '.join(pointing)}")
        del self._collections[collection]

    def point_alias(self, alias: str, collection: str) -> None:
        check_name(alias, "alias")
        if alias in self._collections:
            raise VectorIndexError(f"{alias} is a collection; an alias needs another name")
        self._stored(collection)
        self._aliases[alias] = collection

    def resolve_alias(self, alias: str) -> str | None:
        return self._aliases.get(alias)

    def _stored(self, collection: str) -> _Collection:
        if collection not in self._collections:
            raise VectorIndexError(f"there is no collection {collection!r}; there are {self.collections()}")
        return self._collections[collection]

    def _readable(self, name: str) -> _Collection:
        return self._stored(self._aliases.get(name, name))


def _matching(stored: _Collection, where: Where) -> NDArray[np.bool_]:
    """(N,) true for the photos that pass the filter."""
    rows = np.ones(len(stored.photo_ids), dtype=bool)
    for field, values in where.items():
        rows &= _among(stored.fields[field], values)
    return rows


def _among(column: NDArray[np.object_], values: Sequence[str]) -> NDArray[np.bool_]:
    accepted = set(values)
    return np.fromiter((value in accepted for value in column), bool, count=len(column))


def _nearest(scores: NDArray[np.float32], photo_ids: NDArray[np.object_], k: int) -> NDArray[np.intp]:
    """Rows of the k best of the (N,) scores; every tie with the k-th competes by photo id."""
    if k < len(scores):
        kth = np.partition(scores, len(scores) - k)[len(scores) - k]
        rows = np.flatnonzero(scores >= kth)
    else:
        rows = np.arange(len(scores))
    return rows[np.lexsort((photo_ids[rows].astype(str), -scores[rows]))][:k]


def _texts(values: Sequence[str | None]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return column
