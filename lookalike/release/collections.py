"""What a release needs of a vector index; `lookalike.index`, further along the flow, has it and more."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lookalike.errors import ReleaseMismatch, VectorIndexError
from lookalike.release.manifest import Release


class CollectionIdentity(Protocol):
    """What a collection says it belongs to."""

    @property
    def release_id(self) -> str: ...

    @property
    def model_fingerprint(self) -> str: ...


class SearchedIdentity(CollectionIdentity, Protocol):
    """And what can be searched for in it."""

    @property
    def dimension(self) -> int: ...

    @property
    def fields(self) -> Sequence[str]: ...


class SearchedCollections(Protocol):
    """How collections are searched, which is signed with a release."""

    def describe(self, collection: str) -> SearchedIdentity: ...

    def structure(self, collection: str) -> Mapping[str, Any]: ...


class Collections(SearchedCollections, Protocol):
    """Collections with an identity, and aliases that switch in one step; see VectorIndex."""

    def count(self, collection: str) -> int: ...

    def collections(self) -> list[str]: ...

    def drop(self, collection: str) -> None: ...

    def point_alias(self, alias: str, collection: str) -> None: ...

    def resolve_alias(self, alias: str) -> str | None: ...


def require_collection(index: Collections, release: Release) -> None:
    """Raise ReleaseMismatch unless the release's collection stands, holds photos and is its own."""
    try:
        info = index.describe(release.collection)
    except VectorIndexError as error:
        raise ReleaseMismatch(f"release {release.release_id[:12]} has no collection {release.collection}") from error
    if (info.release_id, info.model_fingerprint) != (release.release_id, release.model_fingerprint):
        raise ReleaseMismatch(
            f"collection {release.collection} belongs to release {info.release_id[:12]} and model "
            f"{info.model_fingerprint[:12]}, not to {release.release_id[:12]} and {release.model_fingerprint[:12]}"
        )
    if index.count(release.collection) == 0:
        raise ReleaseMismatch(f"collection {release.collection} is empty")
