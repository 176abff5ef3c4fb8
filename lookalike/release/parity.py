"""Does the exported model answer as the trained one did? Asked at every kind of batch, on real photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.errors import ParityError
from lookalike.progress import progress

NEIGHBOURS = 10
TIE = 1e-4
"""Cosines closer than this are equally near."""


class Answer(Protocol):
    """A model as a function: (B, H, W, 3) uint8 pixels to its outputs, the unit vectors (B, D) first."""

    def __call__(self, pixels: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]: ...


class ParitySettings(StrictConfig):
    """How closely the exported model has to repeat the trained one, and on how much."""

    photos: int = Field(default=256, ge=1)
    """Catalogue photos compared, spread evenly over the catalogue."""
    batch_sizes: tuple[int, ...] = (1, 2, 7)
    """Batch sizes tried besides the largest served; exporters have got single photos alone wrong."""
    max_difference: float = 1e-4
    """Largest difference of any output number."""
    min_cosine: float = 0.9999
    """Least cosine between the two vectors of one photo."""
    min_overlap: float = 0.99
    """Least mean share of common photos among the ten nearest."""


@dataclass(frozen=True)
class Parity:
    """The largest disagreement found over all batch sizes."""

    max_difference: float
    min_cosine: float
    overlap: float
    photos: int

    def figures(self) -> dict[str, float]:
        """By the names used in model.json and in reports."""
        return {
            "parity_max_difference": self.max_difference,
            "parity_min_cosine": self.min_cosine,
            f"parity_top_{NEIGHBOURS}_overlap": self.overlap,
            "parity_photos": float(self.photos),
        }

    def require(self, settings: ParitySettings) -> None:
        """Raise ParityError naming the figures that break their bound."""
        broken = []
        if not self.max_difference <= settings.max_difference:  # `not` so that NaN breaks it too
            broken.append(f"largest difference {self.max_difference:.2e} (at most {settings.max_difference:.2e})")
        if not self.min_cosine >= settings.min_cosine:
            broken.append(f"least cosine {self.min_cosine:.6f} (at least {settings.min_cosine})")
        if not self.overlap >= settings.min_overlap:
            broken.append(f"top-{NEIGHBOURS} overlap {self.overlap:.4f} (at least {settings.min_overlap})")
        if broken:
            raise ParityError(f"the exported model differs from the trained one: {'; '.join(broken)}")


def measure_parity(trained: Answer, exported: Answer, pixels: NDArray[np.uint8], batch_sizes: Sequence[int]) -> Parity:
    """Compare two models on (N, H, W, 3) photos, cut into batches of each size; a short last batch counts too."""
    expected = run_in_batches(trained, pixels, max(batch_sizes))
    difference, cosine, overlap = 0.0, 1.0, 1.0
    for size in progress(sorted(set(batch_sizes)), "parity"):
        found = run_in_batches(exported, pixels, size)
        gaps = [float(np.abs(a - b).max()) for a, b in zip(expected, found, strict=True)]
        difference = float(np.max([difference, *gaps]))  # numpy's max keeps NaN
        cosine = float(np.min([cosine, (expected[0] * found[0]).sum(axis=1).min()]))
        overlap = min(overlap, neighbour_overlap(expected[0], found[0]))
    return Parity(difference, cosine, overlap, len(pixels))


def run_in_batches(answer: Answer, pixels: NDArray[np.uint8], size: int) -> list[NDArray[np.float32]]:
    """A model's outputs for all N photos, from calls of `size`."""
    parts = [answer(pixels[start : start + size]) for start in range(0, len(pixels), size)]
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def neighbour_overlap(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Mean share of each photo's ten nearest by `found` that are among its ten nearest by `expected`, both (N, D).

    A neighbour as near as the expected tenth, within TIE, counts: which of two equally near photos comes
    last is chance (the epsilon of ann-benchmarks' recall).
    """
    k = min(NEIGHBOURS, len(expected) - 1)
    if k < 1:
        return 1.0
    scores = _scores(expected)  # (N, N)
    tenth = np.partition(scores, -k, axis=1)[:, -k, None]  # (N, 1)
    nearest = np.argpartition(_scores(found), -k, axis=1)[:, -k:]  # (N, K)
    return float((np.take_along_axis(scores, nearest, axis=1) >= tenth - TIE).mean())


def _scores(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    scores = vectors @ vectors.T  # (N, N)
    np.fill_diagonal(scores, -np.inf)
    return scores
