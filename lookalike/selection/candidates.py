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
    StructureSettings,
)
from lookalike.index.planner import goes_exact
from lookalike.storage import digest_json

SEARCH_ONLY = frozenset({"ef", "probes", "shortlist"})
"""Parameters that a finished structure is searched with: changing them needs no new build."""


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


def candidates(count: int, dimension: int, quick: bool = False, seed: int = 0) -> list[Candidate]:
    """What to try for N = `count` vectors of D = `dimension` numbers: every kind over its useful range.

    `quick` takes one or two of each kind. A collection that is always compared exactly has one candidate, flat.
    """
    if goes_exact(count, FaissSettings().exact_rows):
        return [Candidate(FaissSettings(seed=seed))]
    kinds = [_flat, _graphs, _lists, _binary]
    every = [structure for kind in kinds for structure in _thinned(kind(dimension), quick)]
    return [Candidate(FaissSettings(structure=structure, seed=seed)) for structure in every]


def _flat(dimension: int) -> list[StructureSettings]:
    return [FlatSettings()]


def _graphs(dimension: int) -> list[StructureSettings]:
    return [HnswSettings(m=m, ef=ef) for m in (16, 32) for ef in (32, 64, 128, 256)]


def _lists(dimension: int) -> list[StructureSettings]:
    pieces = [part for part in (dimension // 2, dimension // 4) if part and dimension % part == 0]
    return [
        IvfPqSettings(subvectors=part, probes=probes, shortlist=shortlist)
        for part in pieces
        for probes in (16, 64, 256)
        for shortlist in (100, 400)
    ]


def _binary(dimension: int) -> list[StructureSettings]:
    bits = [max(32, _eights(share * dimension)) for share in (1, 2, 4)]
    return [BinarySettings(bits=length, shortlist=shortlist) for length in bits for shortlist in (100, 400, 1600)]


def _thinned(structures: Sequence[StructureSettings], quick: bool) -> Sequence[StructureSettings]:
    """All of them, or the first and the middle one."""
    return list(dict.fromkeys([structures[0], structures[len(structures) // 2]])) if quick else structures


def _eights(number: int) -> int:
    """The nearest multiple of 8: a code is whole bytes."""
    return round(number / 8) * 8


def _without_search(values: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in SEARCH_ONLY}
    return {name: _without_search(value) if isinstance(value, dict) else value for name, value in kept.items()}


def _spoken(values: dict[str, Any]) -> str:
    parts = [f"{name}={value}" for name, value in values.items() if name != "kind" and not isinstance(value, dict)]
    inner = [f"{name} ({_spoken(value)})" for name, value in values.items() if isinstance(value, dict)]
    return " ".join([values["kind"], *parts, *inner])
