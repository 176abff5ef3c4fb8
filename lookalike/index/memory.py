"""The exact index in memory: the twin for tests and the yardstick that recall is measured against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.index.checks import check_batch, check_info, check_name, check_search
from lookalike.index.predicates import Where
from lookalike.index.protocol import CollectionInfo, GalleryBatch, Hit, StoredPhoto
from lookalike.index.rows import Rows, no_rows


@dataclass(frozen=True)
class _Collection:
    info: CollectionInfo
    rows: Rows
    sealed: bool = False


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
        self._collections[info.name] = _Collection(info, no_rows(info))

    def upsert(self, collection: str, batch: GalleryBatch) -> None:
        stored = self._stored(collection)
        check_batch(batch, stored.info)
        self._collections[collection] = replace(stored, rows=stored.rows.add(batch))

    def delete(self, collection: str, product_ids: Sequence[str]) -> None:
        stored = self._stored(collection)
        self._collections[collection] = replace(stored, rows=stored.rows.without_products(product_ids))

    def seal(self, collection: str) -> None:
        self._collections[collection] = replace(self._stored(collection), sealed=True)

    def search(self, collection: str, queries: NDArray[np.float32], k: int, where: Where = ()) -> list[list[Hit]]:
        stored = self._readable(collection)
        check_search(stored.info, queries, k, where)
        if not stored.sealed:
            raise VectorIndexError(f"collection {stored.info.name} is unfinished; seal it before searching")
        return stored.rows.nearest(queries, k, where)

    def vectors(self, collection: str, product_id: str) -> NDArray[np.float32]:
        return self._readable(collection).rows.vectors_of(product_id)

    def photos(self, collection: str, product_id: str) -> list[StoredPhoto]:
        return self._readable(collection).rows.photos_of(product_id)

    def describe(self, collection: str) -> CollectionInfo:
        return self._readable(collection).info

    def structure(self, collection: str) -> Mapping[str, Any]:
        self._readable(collection)
        return {"kind": "exact"}

    def count(self, collection: str) -> int:
        return len(self._readable(collection).rows)

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
