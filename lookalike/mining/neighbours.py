"""The products nearest to a product by its current embedding."""

from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

EXACT_UP_TO = 100_000
"""Products up to which every pair is compared; beyond, an inverted file looks at the likely part of them."""

PROBES = 64
"""Lists of the inverted file that a search visits, of 4 sqrt(N); `make bench-mining` measures what they miss."""


@dataclass(frozen=True)
class Neighbours:
    """The K nearest products of M anchors, nearest first, the anchors themselves among them."""

    products: NDArray[np.int64]
    """(M, K); -1 where there are no more."""
    similarity: NDArray[np.float32]
    """(M, K) cosine."""


class ProductIndex:
    """Nearest products by cosine over (N, D) unit vectors, on all GPUs where faiss has some."""

    def __init__(self, vectors: NDArray[np.float32], exact: bool | None = None) -> None:
        self._vectors = np.ascontiguousarray(vectors)
        exhaustive = len(vectors) <= EXACT_UP_TO if exact is None else exact
        self._index = _on_gpus(faiss.IndexFlatIP(vectors.shape[1]) if exhaustive else _inverted_file(self._vectors))
        self._index.add(self._vectors)

    def nearest(self, anchors: NDArray[np.int64], depth: int) -> Neighbours:
        """The `depth` products nearest to each anchor (M,), besides the anchor itself."""
        similarity, products = self._index.search(self._vectors[anchors], min(depth + 1, len(self._vectors)))
        return Neighbours(products, similarity)


def _inverted_file(vectors: NDArray[np.float32]) -> faiss.IndexIVFFlat:
    count, size = vectors.shape
    lists = int(4 * np.sqrt(count))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(size), size, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid, index.cp.niter = 39, 8  # enough to spread products over the lists
    index.train(vectors)
    index.nprobe = PROBES
    return index


def _on_gpus(index: faiss.Index) -> faiss.Index:
    """The CPU build of faiss knows no GPU functions at all."""
    gpus = faiss.get_num_gpus() if hasattr(faiss, "get_num_gpus") else 0
    return faiss.index_cpu_to_all_gpus(index) if gpus else index
