"""The search structures: each finds rows near queries, and their cosines, among all rows or the chosen ones.

Codes are compared by what they cost to scan; scores are always those of the stored vectors.
"""

import math
from pathlib import Path
from typing import Any, Protocol

import faiss as installed_faiss
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import VectorIndexError
from lookalike.index.attributes import Chosen
from lookalike.index.comparing import Found, Vectors, rerank
from lookalike.index.faiss_settings import BinarySettings, HnswSettings, IvfPqSettings
from lookalike.index.graph import grow_graph
from lookalike.index.huge_pages import graph_on_huge_pages
from lookalike.index.planner import CODE, SIGNS, graph_effort, wide_graph, wide_probes
from lookalike.index.principal_axes import along, load_axes, principal_axes, save_axes
from lookalike.index.sign_axes import sign_axes

faiss: Any = installed_faiss  # its stubs lack search parameters and what index_factory really returns
SEARCH = "search.faiss"
ROTATION = "rotation.npy"
LEAST_SIFTED = 1 / 8
"""A filter that passes more is applied to a longer shortlist of signs: asking it for every code takes as long as three
scans. One that passes less is asked, since sorting out the list would take longer."""
TRAINED_ON = 100_000
"""Vectors that codebooks are trained on, at most; more change nothing at 16 codewords a piece."""


class Structure(Protocol):
    """A finished search structure over N unit vectors."""

    def nearest(self, queries: Vectors, count: int, chosen: Chosen | None) -> Found: ...

    def effort(self, count: int, share: float) -> float:
        """How many photos could be compared exactly in the time of a search that this share of them may answer."""
        ...

    def save(self, folder: Path) -> None: ...


class Flat:
    """Every vector compared; nothing is stored beside the vectors."""

    def __init__(self, vectors: Vectors) -> None:
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def nearest(self, queries: Vectors, count: int, chosen: Chosen | None) -> Found:
        return self._index.search(queries, count, params=select(faiss.SearchParameters, chosen))

    def effort(self, count: int, share: float) -> float:
        return share * self._index.ntotal

    def save(self, folder: Path) -> None:
        pass


class Hnsw:
    """A graph with the vectors at its nodes."""

    def __init__(self, index: Any, settings: HnswSettings) -> None:
        self._index = index
        self._settings = settings
        self._usual = faiss.SearchParametersHNSW(efSearch=settings.ef)

    @classmethod
    def build(cls, vectors: Vectors, settings: HnswSettings, growing: Path) -> "Hnsw":
        # On unit vectors the inner product orders edges as the Euclidean distance does, and is the score itself.
        index = faiss.IndexHNSWFlat(vectors.shape[1], settings.m, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = settings.ef_construction
        return cls(grow_graph(index, vectors, growing), settings)

    @classmethod
    def load(cls, folder: Path, settings: HnswSettings) -> "Hnsw":
        index = faiss.read_index(str(folder / SEARCH))
        graph_on_huge_pages(index)
        return cls(index, settings)

    def nearest(self, queries: Vectors, count: int, chosen: Chosen | None) -> Found:
        if chosen is None and count <= self._settings.ef:
            return self._index.search(queries, count, params=self._usual)
        ef = wide_graph(self._settings.ef, count, chosen.share) if chosen else count
        return self._index.search(queries, count, params=select(faiss.SearchParametersHNSW, chosen, efSearch=ef))

    def effort(self, count: int, share: float) -> float:
        return graph_effort(wide_graph(self._settings.ef, count, share))

    def save(self, folder: Path) -> None:
        faiss.write_index(self._index, str(folder / SEARCH))


class IvfPq:
    """Product codes in inverted lists (Jégou et al., section IV), scanned in registers, re-ranked exactly."""

    def __init__(self, index: Any, axes: Vectors | None, vectors: Vectors, settings: IvfPqSettings) -> None:
        self._index = index
        self._axes = axes
        self._vectors = vectors
        self._settings = settings

    @classmethod
    def build(cls, vectors: Vectors, settings: IvfPqSettings, seed: int) -> "IvfPq":
        axes = principal_axes(vectors, settings.axes)
        count, dimension = len(vectors), settings.axes or vectors.shape[1]
        pieces = settings.subvectors or max(1, dimension // 2)
        if dimension % pieces:
            raise VectorIndexError(f"subvectors is {pieces}, which does not divide dimension {dimension}")
        lists = settings.lists or max(1, round(4 * math.sqrt(count)))
        if lists > count:
            raise VectorIndexError(f"lists is {lists}, but there are only {count} photos")
        index = faiss.index_factory(dimension, f"IVF{lists},PQ{pieces}x4fs", faiss.METRIC_INNER_PRODUCT)
        index.by_residual = True  # codes of what is left after the list's centre: shorter, so the same bits say more
        index.cp.seed = index.pq.cp.seed = seed
        sample = np.random.default_rng(seed).permutation(count)[:TRAINED_ON]
        index.train(along(axes, vectors[np.sort(sample)]))
        index.add(along(axes, vectors))
        return cls(index, axes, vectors, settings)

    @classmethod
    def load(cls, folder: Path, vectors: Vectors, settings: IvfPqSettings) -> "IvfPq":
        return cls(faiss.read_index(str(folder / SEARCH)), load_axes(folder), vectors, settings)

    def nearest(self, queries: Vectors, count: int, chosen: Chosen | None) -> Found:
        params = select(faiss.SearchParametersIVF, chosen, nprobe=self._probes(chosen.share if chosen else 1.0))
        wanted = min(max(count, self._settings.shortlist), len(self._vectors))
        _, rows = self._index.search(along(self._axes, queries), wanted, params=params)
        if chosen:
            rows[rows[:, wanted // 2] < 0] = -1  # lists with so few that pass are not where the nearest are: none found
        return rerank(self._vectors, queries, rows, count)

    def effort(self, count: int, share: float) -> float:
        codes = len(self._vectors) * self._probes(share) / self._index.nlist
        return codes * CODE + max(count, self._settings.shortlist)

    def _probes(self, share: float) -> int:
        return wide_probes(self._settings.probes, self._index.nlist, share)

    def save(self, folder: Path) -> None:
        faiss.write_index(self._index, str(folder / SEARCH))
        save_axes(self._axes, folder)


class Binary:
    """Two stages: Hamming distance between sign codes for a shortlist, then its exact order.

    Codes are the signs of the centred vectors' coordinates on axes that spread the information evenly over the bits.
    """

    def __init__(self, index: Any, rotation: Vectors, vectors: Vectors, settings: BinarySettings) -> None:
        self._index = index
        self._index.use_heap = False  # counts distances instead, as quick for a shortlist of thousands
        self._rotation = rotation
        self._vectors = vectors
        self._settings = settings

    @classmethod
    def build(cls, vectors: Vectors, settings: BinarySettings, seed: int) -> "Binary":
        rotation = sign_axes(vectors, settings, seed)
        index = faiss.IndexBinaryFlat(settings.bits)
        for start in range(0, len(vectors), TRAINED_ON):
            index.add(_codes(vectors[start : start + TRAINED_ON], rotation))
        return cls(index, rotation, vectors, settings)

    @classmethod
    def load(cls, folder: Path, vectors: Vectors, settings: BinarySettings) -> "Binary":
        index = faiss.read_index_binary(str(folder / SEARCH))
        return cls(index, np.load(folder / ROTATION, allow_pickle=False), vectors, settings)

    def nearest(self, queries: Vectors, count: int, chosen: Chosen | None) -> Found:
        wanted = min(max(count, self._settings.shortlist), len(self._vectors))
        codes = _codes(queries, self._rotation)
        if chosen and chosen.share > LEAST_SIFTED:
            _, rows = self._index.search(codes, min(math.ceil(wanted / chosen.share), len(self._vectors)))
            rows[~chosen.holds(rows)] = -1
            rows[np.count_nonzero(rows >= 0, axis=1) < wanted // 2] = -1  # as few of product codes: see there
        else:
            _, rows = self._index.search(codes, wanted, params=select(faiss.SearchParameters, chosen))
        return rerank(self._vectors, queries, rows, count)

    def effort(self, count: int, share: float) -> float:
        return len(self._vectors) * SIGNS + max(count, self._settings.shortlist)

    def save(self, folder: Path) -> None:
        faiss.write_index_binary(self._index, str(folder / SEARCH))
        np.save(folder / ROTATION, self._rotation, allow_pickle=False)


def select(kind: type, chosen: Chosen | None, **parameters: int) -> Any:
    """Search parameters of faiss, with the chosen rows where there are any."""
    return kind(sel=chosen.selector, **parameters) if chosen else kind(**parameters)


def _codes(vectors: Vectors, rotation: Vectors) -> NDArray[np.uint8]:
    """(N, bits / 8)."""
    return np.packbits(vectors @ rotation[:-1] + rotation[-1] > 0, axis=1)
