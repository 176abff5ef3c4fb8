"""Make deleted rows leave the disk: Milvus marks them and goes on keeping their bytes.

A server clears them away after compaction, when it sees fit. Milvus Lite 3.2 merges files only when it likes to and
keeps the ids of deleted rows, so the collection is copied without them and takes the old one's name.
"""

from collections.abc import Iterator
from typing import Any

from pymilvus import MilvusClient

from lookalike.index.milvus_rows import collection_schema
from lookalike.index.protocol import CollectionInfo

ROWS = 1_000
COPY, OLD = "_without_deleted", "_with_deleted"


def rewrite_collection(
    client: MilvusClient, info: CollectionInfo, properties: dict[str, str], index_params: Any
) -> None:
    """Copy a loaded collection beside itself and let the copy take its name and its aliases.

    Between the two renames, for milliseconds, a search fails. What is interrupted there is put right by
    `recover_rewrites`, anywhere else by rewriting again.
    """
    copy, old = info.name + COPY, info.name + OLD
    client.create_collection(copy, schema=collection_schema(info), consistency_level="Strong", properties=properties)
    for rows in _rows(client, info):
        client.upsert(copy, rows)
    client.flush(copy)
    client.create_index(copy, index_params, sync=False)
    client.load_collection(copy)
    client.rename_collection(info.name, old)
    client.rename_collection(copy, info.name)
    client.load_collection(info.name)
    _replace(client, old, info.name)


def recover_rewrites(client: MilvusClient) -> None:
    """Bring interrupted rewrites to a collection of the old name and none beside it."""
    known = client.list_collections()
    for old in (name for name in known if name.endswith(OLD)):
        if old.removesuffix(OLD) in known:
            _replace(client, old, old.removesuffix(OLD))
        else:
            client.rename_collection(old, old.removesuffix(OLD))
    for copy in (name for name in known if name.endswith(COPY)):
        client.drop_collection(copy)


def _replace(client: MilvusClient, old: str, new: str) -> None:
    """Aliases went with the old collection's name."""
    for alias in client.list_aliases(old)["aliases"]:
        client.alter_alias(new, alias)
    client.drop_collection(old)


def _rows(client: MilvusClient, info: CollectionInfo) -> Iterator[list[dict[str, Any]]]:
    fields = ["photo_id", "product_id", "vector", *info.fields]
    pages = client.query_iterator(info.name, batch_size=ROWS, output_fields=fields)
    while rows := pages.next():
        yield [{name: row[name] for name in fields} for row in rows]
    pages.close()
