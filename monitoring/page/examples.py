"""New queries beside what the model was trained on: which ones, what they were answered with, how near they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.page.nearest import TrainedPhotos
from monitoring.page.witness import Kernel, choose, witness
from monitoring.samples import Sample
from monitoring.slices import Example

NEW, USUAL = 8, 4
"""Queries shown: of the window, and of the reference beside them."""
NEIGHBOURS = 3
"""Training products beside each."""
FAR = 0.05
"""The farthest of the reference's queries, by which the window's are counted as far."""


@dataclass(frozen=True)
class Neighbour:
    """A product the model was trained on."""

    product_id: str
    photo_id: str
    cosine: float


@dataclass(frozen=True)
class QueryShown:
    """One query that stands for others that look like it."""

    predicted: dict[str, str]
    """Attribute to predicted value."""
    share_before: float
    """Of the reference's queries, how many look like it."""
    share_now: float
    """Of the window's."""
    neighbours: list[Neighbour]
    """The nearest first; none where nobody kept what the model was trained on."""
    rank: float | None
    """Share of the reference's queries that are no nearer to a training photo than this one."""
    told: Example | None
    """What finds it in the log; None for one of the reference."""


@dataclass(frozen=True)
class Examples:
    """Queries of the window and of the reference."""

    new: list[QueryShown]
    usual: list[QueryShown]
    trained: int
    """Training photos that were looked through."""
    far: float | None
    """Share of the window that is as far from any training photo as the farthest FAR of the reference."""


def find_examples(
    reference: Sample, current: Sample, told: Sequence[Example], trained: TrainedPhotos | None, seed: int
) -> Examples:
    """Choose and describe them; `told` names the window's queries, row by row."""
    kernel = Kernel(reference.vectors, current.vectors, seed)
    new = choose(kernel, current.vectors, witness(kernel, reference.vectors, current.vectors), NEW)
    usual = choose(kernel, reference.vectors, kernel.shares(reference.vectors, reference.vectors), USUAL)
    distances = None if trained is None else _Distances(trained, reference)

    def shown(sample: Sample, row: int, told: Example | None) -> QueryShown:
        before, now = (kernel.shares(sample.vectors[[row]], side.vectors)[0] for side in (reference, current))
        predicted = {name: str(values[row]) for name, values in sample.labels.items() if values[row] is not None}
        neighbours, rank = ([], None) if distances is None else distances.of(sample.vectors[row])
        return QueryShown(predicted, float(before), float(now), neighbours, rank, told)

    return Examples(
        new=[shown(current, row, told[row] if told else None) for row in new],
        usual=[shown(reference, row, None) for row in usual],
        trained=len(trained) if trained is not None else 0,
        far=None if distances is None else distances.far(current),
    )


class _Distances:
    """Queries against the training photos, measured by how near the reference's are."""

    def __init__(self, trained: TrainedPhotos, reference: Sample) -> None:
        self._trained = trained
        self._usual = np.sort(trained.closest(reference.vectors))  # (M,)

    def of(self, vector: NDArray[np.float32]) -> tuple[list[Neighbour], float]:
        """Neighbours of one query (D,), and the share of the reference's queries that are no nearer."""
        found = self._trained.products(vector, NEIGHBOURS)
        photos = self._trained.photos
        neighbours = [
            Neighbour(photos["product_id"].iloc[row], photos["photo_id"].iloc[row], cosine) for row, cosine in found
        ]
        no_nearer = np.searchsorted(self._usual, found[0][1], side="right")
        return neighbours, float(no_nearer / len(self._usual))

    def far(self, current: Sample) -> float:
        limit = self._usual[int(FAR * len(self._usual))]
        return float((self._trained.closest(current.vectors) < limit).mean())
