"""How much memory an index takes, structure by structure."""

import math

from app.sizing.constants import Constants
from app.sizing.shop import Shop
from lookalike.index.faiss_settings import BinarySettings, HnswSettings, IvfPqSettings, StructureSettings
from lookalike.index.structure_bytes import FLOAT, structure_bytes

GIB = 2**30


def structures(dimension: int) -> dict[str, StructureSettings]:
    """Those that were measured, the one that finds most for its time first: codes as long as there."""
    return {
        "hnsw": HnswSettings(),
        "ivf_pq": IvfPqSettings(subvectors=dimension),
        "binary": BinarySettings(bits=8 * math.ceil(2 * dimension / 8)),
    }


def vector_gib(shop: Shop) -> float:
    """The vectors themselves: photos · 4 · D."""
    return shop.photos * FLOAT * shop.dimension / GIB


def scanned_gib(kind: str, shop: Shop) -> float:
    """What a search goes through: photos · bytes of the structure."""
    return shop.photos * structure_bytes(structures(shop.dimension)[kind], shop.dimension) / GIB


def private_gib(kind: str, shop: Shop, given: Constants) -> float:
    """What a process holds of one release: scanned + photos · beside_bytes."""
    return scanned_gib(kind, shop) + shop.photos * given.beside_bytes / GIB


def replica_gib(kind: str, shop: Shop, given: Constants) -> float:
    """One serving replica: service + releases_loaded · private."""
    return given.service_gib + given.releases_loaded * private_gib(kind, shop, given)


def node_fits(kind: str, shop: Shop, given: Constants) -> bool:
    """Whether a node has room for one replica."""
    return replica_gib(kind, shop, given) <= given.usable * given.node_gib


def chosen_index(shop: Shop, given: Constants) -> str | None:
    """The first structure that fits a node; None where none does, and Milvus has to hold the vectors."""
    return next((kind for kind in structures(shop.dimension) if node_fits(kind, shop, given)), None)


def milvus_gib(shop: Shop, given: Constants) -> float:
    """Milvus' query nodes: copies · photos · (4 · D + milvus_beside_bytes)."""
    each = FLOAT * shop.dimension + given.milvus_beside_bytes
    return given.milvus_copies * shop.photos * each / GIB


def disk_gib(shop: Shop, given: Constants) -> float:
    """Photos once; per release kept the vectors twice (stage and collection), the structure and the rows."""
    kind = chosen_index(shop, given) or "hnsw"
    rows = shop.photos * given.row_bytes / GIB
    release = 2 * vector_gib(shop) + scanned_gib(kind, shop) + rows
    return shop.photos * given.photo_bytes / GIB + given.releases_kept * release


def redis_gib(shop: Shop, given: Constants) -> float:
    """Products · redis_bytes · releases_kept."""
    return shop.products * given.redis_bytes * given.releases_kept / GIB
