"""The index in Milvus: Lite in a local file, a server or a cluster, by URI alone.

Scores are inner products of unit vectors, that is cosines, without Milvus normalising again: on Lite that alone
makes a query three times faster.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from math import inf
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pymilvus import MilvusClient

from lookalike.errors import ConfigError, VectorIndexError
from lookalike.index.checks import check_batch, check_info, check_name, check_search, checked
from lookalike.index.expressions import one_of, where_expression
from lookalike.index.lite_drop import clear_dropped, drop_in_one_step
from lookalike.index.lite_files import DROPPED
from lookalike.index.milvus_bulk import BulkImport
from lookalike.index.milvus_client import awaited, close_client, explained, open_client, shown
from lookalike.index.milvus_rows import batch_rows, collection_schema
from lookalike.index.milvus_search import MilvusSearch
from lookalike.index.milvus_structure import MilvusSettings
from lookalike.index.predicates import Where
from lookalike.index.protocol import CollectionInfo, GalleryBatch, Hit, StoredPhoto
from lookalike.index.purge import COPY, OLD, recover_rewrites, rewrite_collection
from lookalike.index.staging import BulkSettings

Found = TypeVar("Found")
NOT_LOADED = ("not loaded", "call load()")
"""What a server, and Lite, say of a collection that has to be loaded first."""
INFO = "lookalike.info"
"""Collection property that holds the CollectionInfo; Lite forgets descriptions but keeps properties."""
ROWS_PER_CALL = 2_000
"""2,000 rows of 128 floats are 1 MB, far below gRPC's message limit."""
OWN = (COPY, OLD, DROPPED)
"""Ends of the names of collections that purges and drops keep for themselves."""


class MilvusIndex:
    """A VectorIndex in Milvus; close it to free a local file for other processes."""

    def __init__(self, uri: str, token: str = "", settings: MilvusSettings | None = None) -> None:
        self._settings = settings or MilvusSettings()
        self._uri = uri
        self._loaded: dict[str, CollectionInfo] = {}
        self._client: MilvusClient = open_client(uri, token, self._settings.timeout_seconds)
        with explained(shown(uri)):  # Lite may also be a server of its own, behind a URL
            self._lite = self._client.get_server_version(**self._wait).startswith("milvus_lite")
        self._structure = self._settings.chosen(self._lite)

    @property
    def _wait(self) -> dict[str, float]:
        return awaited(self._settings.timeout_seconds)

    def close(self) -> None:
        """Disconnect; a second call does nothing."""
        if self._client._handler is not None:
            close_client(self._client, self._uri)

    def __enter__(self) -> "MilvusIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create(self, info: CollectionInfo) -> None:
        check_info(info)
        with explained(f"creating {info.name}"):
            if info.name in self._aliases():
                raise VectorIndexError(f"{info.name} is an alias; a collection needs another name")
            if info.name in self.collections():
                if self._sealed(info.name):
                    raise VectorIndexError(
                        f"collection {info.name} is finished already; drop it before making it again"
                    )
                self._drop(info.name)
            elif self._lite:
                clear_dropped(self._client, **self._wait)
            self._client.create_collection(
                info.name,
                schema=collection_schema(info),
                consistency_level="Strong",
                properties={INFO: json.dumps(asdict(info))},
                **self._wait,
            )

    def fill(self, info: CollectionInfo, batches: Iterable[GalleryBatch], settings: BulkSettings) -> None:
        """Make a collection of these photos, unfinished as after upserts, or go on where that was interrupted.

        Photo ids must be unique over all batches. Raises VectorIndexError, with the collection dropped, where it then
        holds other photos than were given, and BackendUnavailable where the server takes too long.
        """
        if self._lite:
            raise ConfigError("Milvus Lite imports no files; only a Milvus server is filled in bulk")
        bulk = BulkImport(self._client, info.name, settings, self._settings.timeout_seconds)
        with explained(f"importing photos into {info.name}"):
            if not self._resumes(info, bulk):
                if info.name in self.collections():
                    self.drop(info.name)
                self.create(info)
            given = bulk.run(checked(batches, info))
        if (held := self.count(info.name)) != given:
            self.drop(info.name)
            raise VectorIndexError(f"collection {info.name} held {held} photos after {given} were imported; run again")

    def upsert(self, collection: str, batch: GalleryBatch) -> None:
        check_batch(batch, self._describe(collection))
        with explained(f"storing photos in {collection}"):
            for start in range(0, len(batch.photo_ids), ROWS_PER_CALL):
                self._client.upsert(collection, batch_rows(batch, start, start + ROWS_PER_CALL), **self._wait)
            self._settle(collection)

    def delete(self, collection: str, product_ids: Sequence[str]) -> None:
        self._describe(collection)
        with explained(f"removing products from {collection}"):
            for start in range(0, len(product_ids), ROWS_PER_CALL):
                ids = product_ids[start : start + ROWS_PER_CALL]
                self._client.delete(collection, filter=one_of("product_id", ids), **self._wait)
            self._settle(collection)

    def seal(self, collection: str) -> None:
        self._describe(collection)
        with explained(f"finishing {collection}"):
            # Lite builds search structures for flushed segments only: unflushed, 40,000 photos took 657 ms a
            # query instead of 22, and describe_index still said all rows were indexed.
            self._client.flush(collection)
            if not self._sealed(collection):
                # Lite builds while loading and cannot be waited for; a server builds in the background.
                self._client.create_index(collection, self._settings.index_params(self._structure), sync=not self._lite)
            self._settings.check_built(self._client, collection, self._structure)
            self._client.load_collection(collection)

    def search(self, collection: str, queries: NDArray[np.float32], k: int, where: Where = ()) -> list[list[Hit]]:
        check_search(self._ready(collection), queries, k, where)
        queries, expression = queries.astype(np.float32), where_expression(where)
        search = MilvusSearch(self._client, self._settings, self._structure)
        return self._loaded_anew(collection, lambda info: search.nearest(info, queries, k, expression))

    def vectors(self, collection: str, product_id: str) -> NDArray[np.float32]:
        expression, fields = one_of("product_id", [product_id]), ["photo_id", "vector"]
        rows = self._loaded_anew(collection, lambda info: self._query(info.name, expression, fields))
        rows = sorted(rows, key=lambda row: row["photo_id"])
        dimension = self._ready(collection).dimension
        return np.array([row["vector"] for row in rows], dtype=np.float32).reshape(-1, dimension)

    def photos(self, collection: str, product_id: str) -> list[StoredPhoto]:
        expression, fields = one_of("product_id", [product_id]), self._ready(collection).fields
        rows = self._loaded_anew(collection, lambda info: self._query(info.name, expression, ["photo_id", *fields]))
        photos = [StoredPhoto(row["photo_id"], {name: row[name] or None for name in fields}) for row in rows]
        return sorted(photos, key=lambda photo: photo.photo_id)

    def describe(self, collection: str) -> CollectionInfo:
        return self._describe(self.resolve_alias(collection) or collection)

    def structure(self, collection: str) -> Mapping[str, Any]:
        name = self.describe(collection).name
        with explained(f"describing the index of {collection}"):
            return self._settings.built(self._client, name)

    def count(self, collection: str) -> int:
        info = self.describe(collection)
        with explained(f"counting {collection}"):
            if not self._sealed(info.name):  # an unfinished collection cannot be queried yet
                self._client.flush(info.name)
                return int(self._client.get_collection_stats(info.name, **self._wait)["row_count"])
        counted = self._loaded_anew(info.name, lambda info: self._query(info.name, "", ["count(*)"]))
        return int(counted[0]["count(*)"])

    def collections(self) -> list[str]:
        with explained("listing collections"):
            known = self._client.list_collections(**self._wait)
        return sorted(name for name in known if not name.endswith(OWN))

    def recover(self) -> None:
        """Finish or undo what an interrupted purge or drop left; nothing else may purge meanwhile."""
        with explained("recovering interrupted purges"):
            recover_rewrites(self._client)
            clear_dropped(self._client, **self._wait)

    def purge(self, collection: str) -> str:
        """Let deleted rows leave the disk; returns a sentence where they stay for a while, else nothing."""
        with explained(f"rewriting {collection} without deleted rows"):
            if not self._lite:
                self._client.compact(collection, **self._wait)
                return f"deleted rows of {collection} stay in Milvus' storage until it collects its garbage"
            info = self._ready(collection)
            properties = {INFO: json.dumps(asdict(info))}
            rewrite_collection(self._client, info, properties, self._settings.index_params(self._structure))
            return ""

    def drop(self, collection: str) -> None:
        self._require(collection)
        with explained(f"dropping {collection}"):
            # A server refuses this by itself; Lite would drop the collection and leave the alias dangling.
            pointing = self._client.list_aliases(collection, **self._wait)["aliases"]
            if pointing:
                raise VectorIndexError(f"collection {collection} is in use by alias {', '.join(sorted(pointing))}")
            self._drop(collection)
            self._loaded.pop(collection, None)

    def point_alias(self, alias: str, collection: str) -> None:
        check_name(alias, "alias")
        if alias in self.collections():
            raise VectorIndexError(f"{alias} is a collection; an alias needs another name")
        self._require(collection)
        with explained(f"pointing {alias} to {collection}"):
            if alias in self._aliases():
                self._client.alter_alias(collection, alias, **self._wait)
            else:
                self._client.create_alias(collection, alias, **self._wait)

    def resolve_alias(self, alias: str) -> str | None:
        with explained(f"looking up alias {alias}"):
            if alias not in self._aliases():
                return None
            return str(self._client.describe_alias(alias, **self._wait)["collection_name"])

    def _resumes(self, info: CollectionInfo, bulk: BulkImport) -> bool:
        """Whether an unfinished collection holds just what was imported for it so far."""
        standing = info.name in self.collections() and not self._sealed(info.name)
        return standing and self._describe(info.name) == info and bulk.fits()

    def _drop(self, collection: str) -> None:
        if self._lite:
            drop_in_one_step(self._client, collection, **self._wait)
        else:
            self._client.drop_collection(collection, **self._wait)

    def _aliases(self) -> list[str]:
        return list(self._client.list_aliases(**self._wait)["aliases"])

    def _require(self, collection: str) -> None:
        if collection not in self.collections():
            raise VectorIndexError(f"there is no collection {collection!r}; there are {self.collections()}")

    def _describe(self, collection: str) -> CollectionInfo:
        self._require(collection)
        with explained(f"describing {collection}"):
            properties = self._client.describe_collection(collection, **self._wait)["properties"]
        if INFO not in properties:
            raise VectorIndexError(f"collection {collection} was not made by Lookalike: it has no {INFO}")
        values = json.loads(properties[INFO])
        return CollectionInfo(**{**values, "fields": tuple(values["fields"])})

    def _ready(self, name: str) -> CollectionInfo:
        """The described, loaded collection behind a name; an alias is looked up anew every time."""
        if name in self._loaded:
            return self._loaded[name]
        info = self.describe(name)
        if info.name not in self._loaded:
            with explained(f"loading {info.name}"):
                if not self._sealed(info.name):
                    raise VectorIndexError(f"collection {info.name} is unfinished; seal it before searching")
                self._client.load_collection(info.name, **awaited(inf))  # a large one takes what it takes
            self._loaded[info.name] = info
        return info

    def _loaded_anew(self, name: str, read: Callable[[CollectionInfo], Found]) -> Found:
        """Read from a loaded collection; loaded again where a server that restarted has forgotten that it was."""
        info = self._ready(name)
        try:
            with explained(f"reading {name}"):
                return read(info)
        except VectorIndexError as error:
            if not any(words in str(error) for words in NOT_LOADED):
                raise
        self._loaded.clear()
        with explained(f"reading {name}"):
            return read(self._ready(name))

    def _query(self, collection: str, expression: str, fields: list[str]) -> list[dict[str, Any]]:
        return list(self._client.query(collection, filter=expression, output_fields=fields, **self._wait))

    def _settle(self, collection: str) -> None:
        """Return once searches see what was written; an unfinished collection has none."""
        if not self._lite and self._sealed(collection):
            self._client.query(collection, filter="", output_fields=["count(*)"], **self._wait)  # a Strong read

    def _sealed(self, collection: str) -> bool:
        return bool(self._client.list_indexes(collection, **self._wait))
