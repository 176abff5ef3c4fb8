"""Asking Milvus for the nearest photos, ties at the last place included."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymilvus import MilvusClient

from lookalike.index.milvus_client import awaited
from lookalike.index.milvus_rows import answered_hits
from lookalike.index.milvus_structure import MOST_HITS, MilvusSettings, Structure
from lookalike.index.protocol import CollectionInfo, Hit
from lookalike.index.ranking import best_first

SPARE = 8
"""Hits asked for beyond k, so that ties at the k-th place are all seen."""


@dataclass(frozen=True)
class MilvusSearch:
    """How a collection that is loaded is asked."""

    client: MilvusClient
    settings: MilvusSettings
    structure: Structure

    def nearest(self, info: CollectionInfo, queries: NDArray[np.float32], k: int, expression: str) -> list[list[Hit]]:
        """The k nearest of each of the (Q, D) queries, best first."""
        return self._of(info, queries, k, k + SPARE, expression)

    def _of(
        self, info: CollectionInfo, queries: NDArray[np.float32], k: int, limit: int, expression: str
    ) -> list[list[Hit]]:
        """The k best of `limit` answers; where ties may go on beyond them, the query is asked again for more."""
        limit = min(limit, MOST_HITS)
        answers = self.client.search(
            info.name,
            data=list(queries),
            limit=limit,
            filter=expression,
            anns_field="vector",
            consistency_level=self.settings.consistency,
            output_fields=["photo_id", "product_id", *info.fields],
            search_params=self.settings.search_params(self.structure, limit),
            **awaited(self.settings.timeout_seconds),
        )
        found = [answered_hits(answer, info.fields) for answer in answers]
        cut = [q for q, hits in enumerate(found) if len(hits) == limit and hits[-1].score == hits[k - 1].score]
        if cut and limit < MOST_HITS:
            for q, hits in zip(cut, self._of(info, queries[cut], k, 2 * limit, expression), strict=True):
                found[q] = hits
        return [best_first(hits, k) for hits in found]
