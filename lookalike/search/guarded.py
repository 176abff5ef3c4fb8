"""The model and the index behind a guard each, in the places where the search asks them."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.embedders.protocol import ComputesHere, Embedder, Embeddings, ModelIdentity
from lookalike.index.predicates import Where
from lookalike.index.protocol import CollectionInfo, Hit, StoredPhoto
from lookalike.search.guard import Guard


class SearchedIndex(Protocol):
    """What a search needs of a VectorIndex."""

    def search(self, collection: str, queries: NDArray[np.float32], k: int, where: Where = ()) -> list[list[Hit]]: ...

    def vectors(self, collection: str, product_id: str) -> NDArray[np.float32]: ...

    def photos(self, collection: str, product_id: str) -> list[StoredPhoto]: ...

    def describe(self, collection: str) -> CollectionInfo: ...


class GuardedEmbedder:
    """An Embedder behind a guard."""

    def __init__(self, embedder: Embedder, guard: Guard) -> None:
        self._embedder = embedder
        self.guard = guard

    @property
    def identity(self) -> ModelIdentity:
        return self._embedder.identity

    @property
    def provider(self) -> str | None:
        """What computes the model, where it computes in this process."""
        return self._embedder.provider if isinstance(self._embedder, ComputesHere) else None

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        return self.guard.ask(lambda: self._embedder.embed(pixels))


class GuardedIndex:
    """A SearchedIndex behind a guard; every read is one call of it, so a search stops between two reads."""

    def __init__(self, index: SearchedIndex, guard: Guard) -> None:
        self._index = index
        self.guard = guard

    def search(self, collection: str, queries: NDArray[np.float32], k: int, where: Where = ()) -> list[list[Hit]]:
        return self.guard.ask(lambda: self._index.search(collection, queries, k, where))

    def vectors(self, collection: str, product_id: str) -> NDArray[np.float32]:
        return self.guard.ask(lambda: self._index.vectors(collection, product_id))

    def photos(self, collection: str, product_id: str) -> list[StoredPhoto]:
        return self.guard.ask(lambda: self._index.photos(collection, product_id))

    def describe(self, collection: str) -> CollectionInfo:
        return self.guard.ask(lambda: self._index.describe(collection))
