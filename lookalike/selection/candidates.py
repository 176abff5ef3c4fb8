"""What a sweep tries: settings of a faiss collection, from the plain to the compressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.index.faiss_settings import (
    BinarySettings,
    FaissSettings,
    FlatSettings,
    HnswSettings,
    IvfPqSettings,
    ScalarSettings,
    StructureSettings,
)
from lookalike.index.planner import goes_exact
from lookalike.storage import digest_json

SEARCH_ONLY = frozenset({"ef", "probes", "shortlist"})
"""Parameters that a finished structure is searched with: changing them needs no new build."""

EXACT_ROWS = FaissSettings().exact_rows
SHORTEST_CODE = 32
"""Bits."""


@dataclass(frozen=True)
class Candidate:
    """One way to build and search a collection."""

    settings: FaissSettings

    @property
    def kind(self) -> str:
        return self.settings.structure.kind

    @property
    def name(self) -> str:
        """The kind and its parameters; two candidates of a sweep never share it."""
        return _spoken(self.settings.structure.model_dump(exclude_none=True))

    @property
    def build(self) -> str:
        """Digest of what the build depends on: candidates that share it are searched in one collection."""
        return digest_json(_without_search(self.settings.model_dump()))[:16]


def candidates(
    count: int, dimension: int, quick: bool = False, exact_rows: int = EXACT_ROWS, seed: int = 0
) -> list[Candidate]:
    """What to try for N = `count` vectors of D = `dimension` numbers: every kind over its useful range.

    `quick` takes one or two of each kind. A collection of at most `exact_rows` is always compared exactly and has one
    candidate, flat.
    """
    shared = FaissSettings(structure=FlatSettings(), exact_rows=exact_rows, seed=seed)
    if goes_exact(count, exact_rows):
        return [Candidate(shared)]
    kinds = [_flat, _graphs, _scalar, _lists, _binary]
    every = [structure for kind in kinds for structure in _thinned(kind(dimension), quick)]
    return [Candidate(shared.model_copy(update={"structure": structure})) for structure in every]


def _flat(dimension: int) -> list[StructureSettings]:
    return [FlatSettings()]


def _graphs(dimension: int) -> list[StructureSettings]:
    return [HnswSettings(m=m, ef=ef) for m in (16, 32) for ef in (32, 64, 128, 256)]


def _scalar(dimension: int) -> list[StructureSettings]:
    coarse = ScalarSettings(bits=4, shortlist=200)
    scanned = [ScalarSettings(axes=axes, shortlist=wide) for axes in _projections(dimension) for wide in (50, 200)]
    graphs = [
        ScalarSettings(axes=axes, shortlist=50, graph=HnswSettings(ef=ef))
        for axes in _projections(dimension)
        for ef in (64, 128, 256)
    ]
    return [*scanned, coarse, *graphs]


def _lists(dimension: int) -> list[StructureSettings]:
    """A code of two numbers to a piece, of four, and of two after half of the dimensions were left out."""
    shapes = [(axes, (axes or dimension) // piece) for axes in _projections(dimension) for piece in (2, 4)]
    shapes = [(axes, pieces) for axes, pieces in shapes if pieces and (axes or dimension) % pieces == 0]
    return [
        IvfPqSettings(axes=axes, subvectors=pieces, probes=probes, shortlist=shortlist)
        for axes, pieces in shapes[:3]
        for probes, shortlist in ((16, 100), (16, 400), (64, 100), (64, 400), (256, 400))
    ]


def _binary(dimension: int) -> list[StructureSettings]:
    once = max(SHORTEST_CODE, _eights(dimension))
    codes = [BinarySettings(bits=once), BinarySettings(bits=2 * once), BinarySettings(bits=4 * once)]
    if once == dimension:  # codes as long as the vector are the longest that can be learned, or need no rotation
        codes += [BinarySettings(bits=once, rotation="learned"), BinarySettings(bits=once, rotation="none")]
    return [code.model_copy(update={"shortlist": wide}) for code in codes for wide in (100, 400, 1_600)]


def _projections(dimension: int) -> list[int | None]:
    """All dimensions, and the half that principal axes keep."""
    return [None, _eights(dimension / 2)] if dimension >= SHORTEST_CODE else [None]


def _thinned(structures: Sequence[StructureSettings], quick: bool) -> Sequence[StructureSettings]:
    """All of them, or the first and the middle one."""
    return list(dict.fromkeys([structures[0], structures[len(structures) // 2]])) if quick else structures


def _eights(number: float) -> int:
    """The nearest multiple of 8: a code is whole bytes."""
    return round(number / 8) * 8


def _without_search(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in SEARCH_ONLY}
    return {name: _without_search(value) if isinstance(value, dict) else value for name, value in kept.items()}


def _spoken(values: dict[str, Any]) -> str:
    parts = [f"{name}={value}" for name, value in values.items() if name != "kind" and not isinstance(value, dict)]
    inner = [f"{name} ({_spoken(value)})" for name, value in values.items() if isinstance(value, dict)]
    return " ".join([values["kind"], *parts, *inner])
