"""How Milvus searches a collection: the settings, what is asked of it, and whether that was really built."""

from typing import Any, Literal

from pydantic import Field
from pymilvus import MilvusClient

from lookalike.config import StrictConfig
from lookalike.errors import VectorIndexError

METRIC = "IP"
MOST_HITS = 16_384
"""Milvus' limit on one search."""
Structure = Literal["FLAT", "HNSW"]


class MilvusSettings(StrictConfig):
    """How Milvus stores and searches vectors."""

    structure: Literal["auto", "FLAT", "HNSW"] = "auto"
    """FLAT is exact, HNSW a graph; auto takes FLAT on Lite (HNSW saves it 4 ms of 22 and loses filtered hits)."""
    m: int = Field(default=16, ge=4, le=64)
    """HNSW: links per node."""
    ef_construction: int = Field(default=200, ge=8, le=4096)
    """HNSW: candidates looked at while building."""
    ef: int = Field(default=128, ge=8, le=MOST_HITS)
    """HNSW: candidates looked at while searching; raised to the number of hits asked for."""
    consistency: Literal["Bounded", "Strong"] = "Bounded"
    """How searches on a server see writes: here a write returns once it is seen, so they need not wait (3 ms);
    Strong waits in every search (207 ms) for what others wrote in the last moment."""
    timeout_seconds: float = Field(default=30.0, gt=0)
    """How long one request may take, retries included; building the search structure is not bounded."""

    def chosen(self, lite: bool) -> Structure:
        """The structure meant, on Lite or on a server."""
        if self.structure != "auto":
            return self.structure
        return "FLAT" if lite else "HNSW"

    def index_params(self, structure: Structure) -> Any:
        """What `create_index` is asked for."""
        graph = {"M": self.m, "efConstruction": self.ef_construction}
        nested = {"params": graph if structure == "HNSW" else {}}  # Lite ignores parameters that are not nested
        params = MilvusClient.prepare_index_params()
        params.add_index("vector", index_type=structure, metric_type=METRIC, params=nested)
        return params

    def search_params(self, structure: Structure, hits: int) -> dict[str, Any]:
        """What a search for so many hits is asked with."""
        return {"params": {"ef": max(hits, self.ef)}} if structure == "HNSW" else {}

    def built(self, client: MilvusClient, collection: str) -> dict[str, str]:
        """What a collection's vectors are searched by: the type, the metric, and what a graph was built with."""
        found = client.describe_index(collection, "vector", timeout=self.timeout_seconds) or {}
        return {
            name: str(found[name]) for name in ("index_type", "metric_type", "M", "efConstruction") if name in found
        }

    def check_built(self, client: MilvusClient, collection: str, structure: Structure) -> None:
        """Raise VectorIndexError unless it is there: Lite takes types and parameters it does not know and builds none.

        What is still being built is not there either.
        """
        built = client.describe_index(collection, "vector", timeout=self.timeout_seconds) or {}
        found = (built.get("index_type"), built.get("metric_type"), built.get("pending_index_rows"))
        if found != (structure, METRIC, 0):
            raise VectorIndexError(f"collection {collection} has the search structure {built}, not {structure}")
        links = {**built, **built.get("params", {})}.get("M")
        if structure == "HNSW" and str(links) != str(self.m):
            raise VectorIndexError(f"collection {collection} was built with {built}, not with M={self.m}")
