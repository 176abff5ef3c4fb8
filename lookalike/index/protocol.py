"""What every vector index offers: memory, faiss and Milvus answer alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lookalike.index.predicates import Where


@dataclass(frozen=True)
class CollectionInfo:
    """A collection's identity, stored inside the index itself."""

    name: str
    release_id: str
    model_fingerprint: str
    dimension: int
    fields: tuple[str, ...]
    """Filterable fields: `vertical` and the attribute names."""


@dataclass(frozen=True)
class GalleryBatch:
    """N photos to store."""

    photo_ids: Sequence[str]
    product_ids: Sequence[str]
    vectors: NDArray[np.float32]
    """(N, D), unit length and finite."""
    fields: Mapping[str, Sequence[str | None]]
    """Per filterable field its N values; None where unknown."""


class FieldTable(Protocol):
    """The fields of many photos, where hits look their own up."""

    def record(self, row: int) -> Mapping[str, str | None]:
        """All fields of one row."""
        ...


class Hit(Struct, frozen=True, gc=False, eq=False):
    """One stored photo near a query. A search makes thousands a second, most of which are folded away before anyone
    looks at their fields: these are read when they are asked for."""

    photo_id: str
    product_id: str
    score: float
    """Cosine similarity, in [-1, 1]; larger is closer."""
    stored: Mapping[str, str | None] | FieldTable
    """The fields themselves, or the table that has them in this row."""
    row: int = 0

    @property
    def fields(self) -> Mapping[str, str | None]:
        """The photo's filterable fields."""
        return self.stored if isinstance(self.stored, Mapping) else self.stored.record(self.row)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hit):
            return NotImplemented
        mine, theirs = ((hit.photo_id, hit.product_id, hit.score, hit.fields) for hit in (self, other))
        return mine == theirs


class StoredPhoto(NamedTuple):
    """One stored photo, whatever it looks like."""

    photo_id: str
    fields: Mapping[str, str | None]


class VectorIndex(Protocol):
    """Collections of unit vectors with attribute filters, and aliases that switch in one step.

    Every method raises VectorIndexError for a wrong request (missing collection, wrong dimension, vectors
    that are not finite or not unit length, unknown filter field) and BackendUnavailable when the store
    does not answer.
    """

    def create(self, info: CollectionInfo) -> None:
        """Make an empty collection; an unfinished one of the same name is replaced."""
        ...

    def upsert(self, collection: str, batch: GalleryBatch) -> None:
        """Store photos; a photo id already there is replaced."""
        ...

    def delete(self, collection: str, product_ids: Sequence[str]) -> None:
        """Remove all photos of these products; unknown ids are ignored."""
        ...

    def seal(self, collection: str) -> None:
        """Build the search structure, load it and check that it is really there."""
        ...

    def search(self, collection: str, queries: NDArray[np.float32], k: int, where: Where = ()) -> list[list[Hit]]:
        """For each of the (Q, D) queries its k nearest photos, best first, ties by photo id; takes aliases too."""
        ...

    def vectors(self, collection: str, product_id: str) -> NDArray[np.float32]:
        """(P, D) stored vectors of a product's photos, by photo id; none where the product is unknown."""
        ...

    def photos(self, collection: str, product_id: str) -> list[StoredPhoto]:
        """A product's photos, by photo id; none where the product is unknown."""
        ...

    def describe(self, collection: str) -> CollectionInfo: ...

    def structure(self, collection: str) -> Mapping[str, Any]:
        """How a sealed collection is searched, as JSON: its structure and what that was built with."""
        ...

    def count(self, collection: str) -> int: ...

    def collections(self) -> list[str]: ...

    def drop(self, collection: str) -> None: ...

    def point_alias(self, alias: str, collection: str) -> None:
        """Let readers of `alias` see `collection` from now on, in one step."""
        ...

    def resolve_alias(self, alias: str) -> str | None:
        """The collection an alias points to; None where there is no such alias."""
        ...
