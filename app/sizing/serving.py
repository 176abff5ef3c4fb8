"""How many replicas and nodes answer a load."""

import math
from dataclasses import dataclass

from app.sizing.constants import Constants
from app.sizing.index_size import chosen_index, milvus_gib, replica_gib
from app.sizing.shop import Shop


@dataclass(frozen=True)
class Serving:
    """What answers."""

    index: str | None
    """The structure in each replica; None where Milvus holds the vectors."""
    query_ms: float
    """Core time of one query; without Milvus' part, where it is asked."""
    replicas: int
    replica_gib: float
    """Memory of one replica."""
    nodes: int
    """Nodes of the replicas."""
    milvus_nodes: int
    """Query nodes of Milvus; 0 without it."""
    milvus_gib: float
    """Memory that they have to have; 0 without it."""


def serving(shop: Shop, given: Constants) -> Serving:
    """Replicas for the load, nodes for the replicas."""
    index = chosen_index(shop, given)
    seconds = query_seconds(index, shop, given)
    wanted = shop.queries_per_second * seconds / (given.utilisation * given.replica_cores)
    replicas = math.ceil(max(given.least_replicas, wanted))
    memory = given.service_gib if index is None else replica_gib(index, shop, given)
    on_node = min(given.usable * given.node_gib // memory, given.node_cores // given.replica_cores)
    nodes = math.ceil(max(given.least_replicas, replicas / on_node))
    milvus = 0.0 if index is not None else milvus_gib(shop, given)
    milvus_nodes = math.ceil(max(given.least_replicas, milvus / (given.usable * given.node_gib))) if milvus else 0
    return Serving(index, 1000 * seconds, replicas, memory, nodes, milvus_nodes, milvus)


def query_seconds(index: str | None, shop: Shop, given: Constants) -> float:
    """A core's time for one query: what was measured without its graph, and the search at this size."""
    around = 1 / given.served_per_second - 1 / given.hnsw_per_second
    return around if index is None else around + search_seconds(index, shop.photos, given)


def search_seconds(index: str, photos: float, given: Constants) -> float:
    """The search alone: a graph grows with log N, lists of 4·sqrt(N) with sqrt(N), a scan of all codes with N."""
    size = photos / given.searched_photos
    measured, growth = {
        "hnsw": (given.hnsw_per_second, math.log(photos) / math.log(given.searched_photos)),
        "ivf_pq": (given.ivf_pq_per_second, math.sqrt(size)),
        "binary": (given.binary_per_second, size),
    }[index]
    return growth / measured
