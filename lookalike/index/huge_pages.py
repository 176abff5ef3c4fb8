"""Memory in pages of 2 MiB. A graph jumps from vector to vector, and looking up where their small pages lie takes a
fifth of a search over a million of them."""

import ctypes
import sys
from typing import Any

import faiss as installed_faiss
from numpy.typing import NDArray

faiss: Any = installed_faiss  # its stubs do not tell what an index consists of
HUGE = 1 << 21
USE, NOW = 14, 25
"""Linux' MADV_HUGEPAGE, heeded in the background, and MADV_COLLAPSE, at once and since 6.1."""


def graph_on_huge_pages(index: Any) -> None:
    """Move a graph's vectors and links, which stay what and where they are for everyone who reads them."""
    for part in (faiss.downcast_index(index.storage).codes, index.hnsw.neighbors):
        on_huge_pages(faiss.rev_swig_ptr(part.data(), part.size()))


def on_huge_pages(array: NDArray[Any]) -> None:
    """An advice: a system that knows no such pages, or has none left, keeps the small ones."""
    first = -(-array.ctypes.data // HUGE) * HUGE
    size = (array.ctypes.data + array.nbytes) // HUGE * HUGE - first
    if sys.platform != "linux" or size <= 0:
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for advice in (USE, NOW):
        advise(first, size, advice)
