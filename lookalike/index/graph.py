"""A graph grown in steps: its links are kept on the disk after each, and a build that was interrupted goes on there.

However often that was, the graph is the same byte for byte. The vectors of a step are linked in an order that threads
do not change (faiss' only way since 1.15), and their levels are drawn from one sequence, which is wound forward.
"""

from pathlib import Path
from typing import Any

import faiss as installed_faiss

from lookalike.index.comparing import Vectors
from lookalike.progress import progress
from lookalike.storage import atomic_file

faiss: Any = installed_faiss  # its stubs lack what a graph consists of
GROWING = "growing.faiss"
"""The links so far, without the vectors, while the segment is not finished."""
STEP = 25_000
"""Vectors between two such files: a kill loses some seconds of linking, and a file takes under one."""


def grow_graph(empty: Any, vectors: Vectors, kept: Path) -> Any:
    """Link the (N, D) vectors into an empty graph, or into what `kept` holds of it; few are linked in one step."""
    index = _resumed(empty, vectors, kept) if kept.is_file() else empty
    for start in progress(range(index.ntotal, len(vectors), STEP), "building the graph"):
        index.add(vectors[start : start + STEP])
        if len(vectors) > STEP:
            with atomic_file(kept) as aside:
                faiss.write_index(index, str(aside), faiss.IO_FLAG_SKIP_STORAGE)
    return index


def _resumed(empty: Any, vectors: Vectors, kept: Path) -> Any:
    index = faiss.read_index(str(kept))
    storage = faiss.IndexFlat(index.d, index.metric_type)
    storage.add(vectors[: index.ntotal])
    storage.this.disown()  # from here on the graph's
    index.storage, index.own_fields = storage, True
    drawn = faiss.HNSW(empty.hnsw.nb_neighbors(1))  # M: a vector's links on every layer but the lowest
    drawn.prepare_level_tab(index.ntotal, False)
    index.hnsw.rng = drawn.rng
    return index
