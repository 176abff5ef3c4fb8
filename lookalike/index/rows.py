"""Stored photos held whole in memory: what the exact index is made of, and faiss' latest changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.index.predicates import Where
from lookalike.index.protocol import CollectionInfo, GalleryBatch, Hit, StoredPhoto
from lookalike.index.ranking import round_scores


@dataclass(frozen=True)
class Rows:
    """An immutable snapshot of N photos: writers replace it whole, so a search never sees half of a change."""

    photo_ids: NDArray[np.object_]  # (N,)
    product_ids: NDArray[np.object_]  # (N,)
    vectors: NDArray[np.float32]  # (N, D)
    fields: Mapping[str, NDArray[np.object_]]  # per field (N,)

    def __len__(self) -> int:
        return len(self.photo_ids)

    def keep(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Rows":
        """The chosen rows."""
        fields = {name: values[rows] for name, values in self.fields.items()}
        return Rows(self.photo_ids[rows], self.product_ids[rows], self.vectors[rows], fields)

    def add(self, batch: GalleryBatch) -> "Rows":
        """With the batch's photos, which replace those of the same id."""
        return self.without_photos(batch.photo_ids).join(
            Rows(
                texts(batch.photo_ids),
                texts(batch.product_ids),
                batch.vectors.astype(np.float32),
                {name: texts(values) for name, values in batch.fields.items()},
            )
        )

    def without_products(self, product_ids: Collection[str]) -> "Rows":
        """Without any photo of these products."""
        return self.keep(~among(self.product_ids, product_ids))

    def without_photos(self, photo_ids: Collection[str]) -> "Rows":
        """Without these photos."""
        return self.keep(~among(self.photo_ids, photo_ids))

    def join(self, others: "Rows") -> "Rows":
        """Both, which share no photo."""
        return Rows(
            np.concatenate([self.photo_ids, others.photo_ids]),
            np.concatenate([self.product_ids, others.product_ids]),
            np.concatenate([self.vectors, others.vectors]),
            {name: np.concatenate([values, others.fields[name]]) for name, values in self.fields.items()},
        )

    def batch(self) -> GalleryBatch:
        """The same photos, ready to store."""
        fields = {name: values.tolist() for name, values in self.fields.items()}
        return GalleryBatch(self.photo_ids.tolist(), self.product_ids.tolist(), self.vectors, fields)

    def nearest(self, queries: NDArray[np.float32], k: int, where: Where) -> list[list[Hit]]:
        """For each of the (Q, D) queries its k best hits, by comparing with every photo that passes the filter."""
        kept = self.keep(matching(self.fields, len(self), where)) if where else self
        scores = round_scores(queries.astype(np.float32) @ kept.vectors.T)  # (Q, N)
        return [[kept.hit(row, line[row]) for row in _best(line, kept.photo_ids, k)] for line in scores]

    def vectors_of(self, product_id: str) -> NDArray[np.float32]:
        """(P, D) vectors of one product's photos, by photo id."""
        mine = self.keep(self.product_ids == product_id)
        return mine.vectors[np.argsort(mine.photo_ids.astype(str))]

    def photos_of(self, product_id: str) -> list[StoredPhoto]:
        """One product's photos, by photo id."""
        mine = self.keep(self.product_ids == product_id)
        fields = [{name: values[row] for name, values in mine.fields.items()} for row in range(len(mine))]
        return sorted(map(StoredPhoto, mine.photo_ids, fields), key=lambda photo: photo.photo_id)

    def hit(self, row: int, score: float) -> Hit:
        """One row as an answer."""
        fields = {name: values[row] for name, values in self.fields.items()}
        return Hit(self.photo_ids[row], self.product_ids[row], float(score), fields)


def no_rows(info: CollectionInfo) -> Rows:
    """An empty collection."""
    empty = np.empty(0, dtype=object)
    return Rows(empty, empty, np.empty((0, info.dimension), dtype=np.float32), dict.fromkeys(info.fields, empty))


def matching(fields: Mapping[str, NDArray[np.object_]], count: int, where: Where) -> NDArray[np.bool_]:
    """(N,) true for the rows that pass the filter; each distinct value is judged once."""
    rows = np.ones(count, dtype=bool)
    for predicate in where:
        column = fields[predicate.field]
        verdicts = {value: predicate.accepts(value) for value in set(column)}
        rows &= np.fromiter((verdicts[value] for value in column), bool, count=count)
    return rows


def among(column: NDArray[np.object_], values: Collection[str]) -> NDArray[np.bool_]:
    """(N,) true where the column holds one of the values."""
    accepted = set(values)
    return np.fromiter((value in accepted for value in column), bool, count=len(column))


def texts(values: Sequence[str | None]) -> NDArray[np.object_]:
    """(N,) texts as an object array, which numpy would otherwise make of fixed width."""
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return column


def _best(scores: NDArray[np.float32], photo_ids: NDArray[np.object_], k: int) -> NDArray[np.intp]:
    """Rows of the k best of the (N,) scores; every tie with the k-th competes by photo id."""
    if k < len(scores):
        kth = np.partition(scores, len(scores) - k)[len(scores) - k]
        rows = np.flatnonzero(scores >= kth)
    else:
        rows = np.arange(len(scores))
    return rows[np.lexsort((photo_ids[rows].astype(str), -scores[rows]))][:k]
