"""What a faiss collection holds at one moment: a finished segment, the rows of it that still hold, and what came since.

Stored and removed photos do not touch the segment, whose structures cannot forget (a graph has no deletion): rows
that no longer hold are masked, new ones are compared exactly beside it and merged. Sealing folds them in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lookalike.index.attributes import KEPT_FILTERS, Chosen
from lookalike.index.faiss_folder import Change, Manifest, Removal
from lookalike.index.predicates import Where
from lookalike.index.protocol import GalleryBatch, Hit, StoredPhoto
from lookalike.index.ranking import best_first
from lookalike.index.rows import Rows, no_rows
from lookalike.index.segment import Segment


@dataclass(frozen=True)
class State:
    """An immutable snapshot; a search that has it sees all of a change or nothing."""

    manifest: Manifest
    segment: Segment | None
    holds: NDArray[np.bool_]  # (N,) rows of the segment that still hold
    latest: Rows
    """Photos stored since the segment was finished."""

    def search(self, queries: NDArray[np.float32], k: int, where: Where) -> list[list[Hit]]:
        """For each of the (Q, D) queries its k best hits."""
        finished = self.segment.search(queries, k, self._chosen(where)) if self.segment else [[] for _ in queries]
        if not len(self.latest):
            return finished
        recent = self.latest.nearest(queries, k, where)
        return [best_first([*ours, *theirs], k) for ours, theirs in zip(finished, recent, strict=True)]

    def count(self) -> int:
        """How many photos there are."""
        return int(self.holds.sum()) + len(self.latest)

    def vectors_of(self, product_id: str) -> NDArray[np.float32]:
        """(P, D) vectors of a product's photos, by photo id."""
        return self._joined(self._held(product_id)).vectors_of(product_id)

    def photos_of(self, product_id: str) -> list[StoredPhoto]:
        """A product's photos, by photo id."""
        return self._joined(self._held(product_id)).photos_of(product_id)

    def everything(self) -> Rows:
        """All photos in memory."""
        return self._joined(np.flatnonzero(self.holds))

    def apply(self, manifest: Manifest, changes: Sequence[Change]) -> "State":
        """The state after these changes, which `manifest` names."""
        holds, latest = self.holds.copy(), self.latest
        for change in _combined(changes):
            if self.segment:
                holds[self.segment.rows_of_photos(change.photo_ids)] = False
            if isinstance(change, GalleryBatch):
                latest = latest.add(change)
                continue
            if self.segment:
                holds[self.segment.rows_of_products(change.product_ids)] = False
            latest = latest.without_products(change.product_ids).without_photos(change.photo_ids)
        return replace(self, manifest=manifest, holds=holds, latest=latest)

    def condensed(self) -> list[Change]:
        """The fewest changes that lead from the segment to this state."""
        gone = self.segment.photos(np.flatnonzero(~self.holds)) if self.segment else []
        return [Removal(photo_ids=gone), self.latest.batch()]

    def _chosen(self, where: Where) -> Chosen | None:
        return self._compiled(where) if where or self._forgotten else None

    @cached_property
    def _forgotten(self) -> bool:
        return not self.holds.all()

    @cached_property
    def _compiled(self) -> Callable[[Where], Chosen]:
        return lru_cache(maxsize=KEPT_FILTERS)(self._compile)

    def _compile(self, where: Where) -> Chosen:
        assert self.segment is not None
        held = np.packbits(self.holds, bitorder="little")
        return Chosen(self.segment.attributes.bits(where) & held if where else held, len(self.holds))

    def _held(self, product_id: str) -> NDArray[np.int64]:
        if self.segment is None:
            return np.empty(0, dtype=np.int64)
        rows = self.segment.rows_of_products([product_id])
        return rows[self.holds[rows]]

    def _joined(self, kept: NDArray[np.int64]) -> Rows:
        return self.latest if self.segment is None else self.segment.rows(kept).join(self.latest)


def unchanged(manifest: Manifest, segment: Segment | None) -> State:
    """The state right after sealing, or of a new collection."""
    count = len(segment) if segment else 0
    return State(manifest, segment, np.ones(count, dtype=bool), no_rows(manifest.info))


def _combined(changes: Sequence[Change]) -> Iterator[Change]:
    """The same changes, neighbouring batches as one."""
    for stored, run in groupby(changes, key=lambda change: isinstance(change, GalleryBatch)):
        if stored:
            yield _one_batch([change for change in run if isinstance(change, GalleryBatch)])
        else:
            yield from run


def _one_batch(batches: Sequence[GalleryBatch]) -> GalleryBatch:
    """All photos, of those stored twice the last."""
    photos = [photo for batch in batches for photo in batch.photo_ids]
    last = list({photo: row for row, photo in enumerate(photos)}.values())
    products = [product for batch in batches for product in batch.product_ids]
    fields = {name: [value for batch in batches for value in batch.fields[name]] for name in batches[0].fields}
    return GalleryBatch(
        [photos[row] for row in last],
        [products[row] for row in last],
        np.concatenate([batch.vectors for batch in batches])[last],
        {name: [values[row] for row in last] for name, values in fields.items()},
    )
