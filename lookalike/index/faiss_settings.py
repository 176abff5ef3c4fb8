"""How a faiss collection is searched: one structure and its own parameters, and when to do without it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lookalike.config import StrictConfig


class FlatSettings(StrictConfig):
    """Exact: every vector is compared. 4·D bytes per photo."""

    kind: Literal["flat"] = "flat"


class HnswSettings(StrictConfig):
    """A navigable graph over the vectors (Malkov & Yashunin, section 4). 4·D + 8·m bytes per photo."""

    kind: Literal["hnsw"] = "hnsw"
    m: int = Field(default=16, ge=4, le=64)
    """Links per photo, twice as many on the lowest layer."""
    ef_construction: int = Field(default=200, ge=8, le=4096)
    """Candidates looked at while building."""
    ef: int = Field(default=128, ge=8, le=16_384)
    """Candidates looked at while searching; raised for more neighbours and for filters."""


class IvfPqSettings(StrictConfig):
    """Inverted lists of 4-bit product codes, scanned in registers, then an exact re-rank.

    subvectors/2 bytes scanned per photo.
    """

    kind: Literal["ivf_pq"] = "ivf_pq"
    lists: int | None = Field(default=None, ge=1, le=1_000_000)
    """Inverted lists; 4·sqrt(N) where not given."""
    probes: int = Field(default=64, ge=1)
    """Lists scanned per query; more under a filter."""
    subvectors: int | None = Field(default=None, ge=1)
    """Pieces a vector is cut into, 4 bits each; must divide the dimension, or the axes. Half of it where not given."""
    axes: int | None = Field(default=None, ge=1)
    """Principal axes that codes keep of a vector; all of its dimensions where not given."""
    shortlist: int = Field(default=1_000, ge=1, le=100_000)
    """Photos compared exactly after the scan; raised to the number of neighbours asked for."""

    @model_validator(mode="after")
    def _probes_some_of_the_lists(self) -> "IvfPqSettings":
        if self.lists is not None and self.probes > self.lists:
            raise ValueError(f"probes is {self.probes}, but there are only {self.lists} lists")
        return self


class BinarySettings(StrictConfig):
    """Signs of rotated vectors compared by Hamming distance, then an exact re-rank.

    bits/8 bytes scanned per photo.
    """

    kind: Literal["binary"] = "binary"
    bits: int = Field(default=256, ge=32, le=8192, multiple_of=8)
    """Length of a code; 2·D bits are a sixteenth of the vector."""
    rotation: Literal["random", "learned", "none"] = "random"
    """Axes whose signs are the bits: random ones, principal ones turned so that signs lose least (at most D bits), or
    the vector's own (exactly D bits)."""
    shortlist: int = Field(default=1_000, ge=1, le=100_000)
    """Photos compared exactly after the scan; raised to the number of neighbours asked for."""


class ScalarSettings(StrictConfig):
    """Each number of a vector rounded to a few bits, then an exact re-rank.

    bits·D/8 bytes scanned per photo, with a graph over the codes 8·m more.
    """

    kind: Literal["scalar"] = "scalar"
    bits: Literal[4, 8, 16] = 8
    """Per number; 16 are floats of half precision."""
    axes: int | None = Field(default=None, ge=1)
    """Principal axes that codes keep of a vector; all of its dimensions where not given."""
    graph: HnswSettings | None = None
    """A graph over the codes; where not given, every code is compared."""
    shortlist: int = Field(default=100, ge=1, le=100_000)
    """Photos compared exactly afterwards; raised to the number of neighbours asked for."""


StructureSettings = Annotated[
    FlatSettings | HnswSettings | IvfPqSettings | BinarySettings | ScalarSettings, Field(discriminator="kind")
]


class FaissSettings(StrictConfig):
    """How new collections of a faiss index are built and searched; kept with each collection."""

    structure: StructureSettings = HnswSettings()
    """One kind with its own parameters; those of another kind are refused."""
    exact_rows: int = Field(default=5_000, ge=0)
    """A search that at most this many photos can answer compares with each of them. More go through the structure,
    unless comparing is the quicker way: see `planner`. 0 always asks the structure."""
    fold_rows: int = Field(default=5_000, ge=1)
    """Photos stored or removed since the structure was built that searches may have to compare beside it; a write
    that makes them more builds it anew. Up to `exact_rows` of them cost no more than a filtered search may."""
    fold_share: float = Field(default=0.02, gt=0, le=1)
    """The same as a share of the collection, where that is more: building costs 1/share times a photo's part of it
    for every photo stored."""
    seed: int = 0
    """Rotation of the binary codes, sample and start of the trained ones."""
