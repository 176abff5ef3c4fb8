"""Dropping a collection of Milvus Lite so that a kill on the way cannot bring it back.

Lite 3.2 removes a collection's files one by one, and its server, killed among them, comes back with the collection
standing and empty. A rename is one step on the disk: what bears the name of a dropped collection is gone for every
reader, and its files are cleared away now or by whoever opens them next.
"""

from typing import Any

from pymilvus import MilvusClient

from lookalike.index.lite_files import DROPPED


def drop_in_one_step(client: MilvusClient, collection: str, **wait: Any) -> None:
    """Drop a collection that no alias points to."""
    clear_dropped(client, **wait)
    client.rename_collection(collection, collection + DROPPED, **wait)
    client.drop_collection(collection + DROPPED, **wait)


def clear_dropped(client: MilvusClient, **wait: Any) -> None:
    """Finish drops that were interrupted."""
    for name in client.list_collections(**wait):
        if name.endswith(DROPPED):
            client.drop_collection(name, **wait)
