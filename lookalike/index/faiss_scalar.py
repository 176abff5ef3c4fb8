"""Scalar-quantised vectors, scanned whole or through a graph, then an exact re-rank."""

from pathlib import Path
from typing import Any

import faiss as installed_faiss

from lookalike.index.attributes import Chosen
from lookalike.index.comparing import Found, Vectors, rerank
from lookalike.index.faiss_settings import ScalarSettings
from lookalike.index.faiss_structures import SEARCH, TRAINED_ON, select
from lookalike.index.huge_pages import graph_on_huge_pages
from lookalike.index.planner import graph_effort, wide_graph
from lookalike.index.principal_axes import along, load_axes, principal_axes, save_axes

faiss: Any = installed_faiss  # its stubs lack search parameters
TYPES = {4: faiss.ScalarQuantizer.QT_4bit, 8: faiss.ScalarQuantizer.QT_8bit, 16: faiss.ScalarQuantizer.QT_fp16}
"""faiss' name of a code by its bits per number."""
SCALARS = 1 / 2
"""Comparisons of whole vectors that one of rounded numbers takes the time of: it is read in order."""


class Scalar:
    """Each number of a vector rounded to a few bits, along its principal axes where fewer are kept."""

    def __init__(self, index: Any, axes: Vectors | None, vectors: Vectors, settings: ScalarSettings) -> None:
        self._index = index
        self._axes = axes
        self._vectors = vectors
        self._settings = settings

    @classmethod
    def build(cls, vectors: Vectors, settings: ScalarSettings) -> "Scalar":
        axes = principal_axes(vectors, settings.axes)
        index = _empty(settings.axes or vectors.shape[1], settings)
        index.train(along(axes, vectors[:: max(1, len(vectors) // TRAINED_ON)]))
        for start in range(0, len(vectors), TRAINED_ON):
            index.add(along(axes, vectors[start : start + TRAINED_ON]))
        return cls(index, axes, vectors, settings)

    @classmethod
    def load(cls, folder: Path, vectors: Vectors, settings: ScalarSettings) -> "Scalar":
        index = faiss.read_index(str(folder / SEARCH))
        if settings.graph:
            graph_on_huge_pages(index)
        return cls(index, load_axes(folder), vectors, settings)

    def nearest(self, queries: Vectors, count: int, chosen: Chosen | None) -> Found:
        wanted = min(max(count, self._settings.shortlist), len(self._vectors))
        _, rows = self._index.search(along(self._axes, queries), wanted, params=self._parameters(wanted, chosen))
        return rerank(self._vectors, queries, rows, count)

    def effort(self, count: int, share: float) -> float:
        graph, wanted = self._settings.graph, max(count, self._settings.shortlist)
        scanned = graph_effort(wide_graph(graph.ef, wanted, share)) if graph else len(self._vectors) * SCALARS
        return scanned + wanted

    def save(self, folder: Path) -> None:
        faiss.write_index(self._index, str(folder / SEARCH))
        save_axes(self._axes, folder)

    def _parameters(self, wanted: int, chosen: Chosen | None) -> Any:
        graph = self._settings.graph
        if graph is None:
            return select(faiss.SearchParameters, chosen)
        ef = wide_graph(graph.ef, wanted, chosen.share if chosen else 1.0)
        return select(faiss.SearchParametersHNSW, chosen, efSearch=ef)


def _empty(dimension: int, settings: ScalarSettings) -> Any:
    code, graph = TYPES[settings.bits], settings.graph
    if graph is None:
        return faiss.IndexScalarQuantizer(dimension, code, faiss.METRIC_INNER_PRODUCT)
    index = faiss.IndexHNSWSQ(dimension, code, graph.m, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = graph.ef_construction
    return index
