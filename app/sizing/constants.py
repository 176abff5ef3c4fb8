"""The numbers behind the tables: `constants.yaml`, with where each comes from, and the reader's own instead."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from lookalike.config import StrictConfig, parse_config

FILE = Path(__file__).with_name("constants.yaml")


class Stated(StrictConfig):
    """One number and where it comes from."""

    value: float = Field(gt=0)
    """In the unit that the field of `Constants` says."""
    kind: Literal["measured", "published", "assumed"]
    """`measured` by us, at the size that the source names; `published` by others; `assumed` for you to replace."""
    source: str
    """A figure by its key, a public page, or why this was assumed."""


class Constants(StrictConfig):
    """What the formulas take; every field may be given anew by its name."""

    embedded_per_second: float = Field(gt=0)
    """Photos a second that one core decodes and embeds."""
    stored_per_second: float = Field(gt=0)
    """Photos a second that one process stores and puts into a graph, at `stored_photos`."""
    stored_photos: float = Field(gt=1)
    """Photos of the collection that this was measured with."""
    imported_per_second: float = Field(gt=0)
    """Photos a second that a Milvus server imports from files, its own graphs not built."""
    filled_per_second: float = Field(gt=0)
    """Products a second that one process writes to the online store."""
    redis_bytes: float = Field(gt=0)
    """Bytes of Redis per product and release."""
    beside_bytes: float = Field(gt=0)
    """Bytes of memory per photo beside the search structure: ids, fields, cells."""
    milvus_beside_bytes: float = Field(gt=0)
    """Bytes of memory per photo that Milvus loads beside the vector."""
    searched_photos: float = Field(gt=1)
    """Photos of the collection that the speeds below were measured with."""
    served_per_second: float = Field(gt=0)
    """Queries a second that one core answers, photo to JSON, with a graph of `searched_photos` in process."""
    hnsw_per_second: float = Field(gt=0)
    """Queries a second of a graph alone on one core."""
    ivf_pq_per_second: float = Field(gt=0)
    """Queries a second of product codes alone on one core."""
    binary_per_second: float = Field(gt=0)
    """Queries a second of binary codes alone on one core."""
    service_gib: float = Field(gt=0)
    """GiB of a serving process without its index."""
    releases_loaded: float = Field(ge=1)
    """Releases in memory at once: while one is switched there are two."""
    releases_kept: float = Field(ge=1)
    """Releases on disk and in the online store."""
    photo_bytes: float = Field(gt=0)
    """Bytes of a catalogue photo as it was delivered."""
    row_bytes: float = Field(gt=0)
    """Bytes on disk of a photo's ids, digests, colours and fields in one release."""
    utilisation: float = Field(gt=0, le=1)
    """Share of a core that serving may take at the stated load."""
    replica_cores: float = Field(gt=0)
    """Cores of one serving replica."""
    least_replicas: float = Field(ge=1)
    """Replicas and nodes there are at least, so that one may fail."""
    milvus_copies: float = Field(ge=1)
    """Copies of every vector in Milvus' query nodes."""
    node_cores: float = Field(gt=0)
    """Cores of one node."""
    node_gib: float = Field(gt=0)
    """GiB of memory of one node."""
    usable: float = Field(gt=0, le=1)
    """Share of a node's memory that indexes may take."""
    month_hours: float = Field(gt=0)
    """Hours of a month."""
    core_hour: float = Field(gt=0)
    """Price of a core for an hour."""
    gib_hour: float = Field(gt=0)
    """Price of a GiB of memory for an hour."""
    disk_gib_month: float = Field(gt=0)
    """Price of a GiB of disk for a month."""


def stated() -> dict[str, Stated]:
    """Every number as the file has it, in the file's order."""
    values = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: parse_config(Stated, told, f"{FILE.name}: {name}") for name, told in values.items()}


def constants(own: Mapping[str, Any]) -> Constants:
    """The file's numbers with the reader's own in their place. Raises ConfigError for a name that is none."""
    return parse_config(Constants, {**{name: told.value for name, told in stated().items()}, **own}, "the constants")
