"""Vectors whose neighbours are hard enough to find that structures differ, and a clock that nobody waits for."""

from itertools import count

import numpy as np
from numpy.typing import NDArray

from lookalike.config import parse_config
from lookalike.index.faiss_settings import FaissSettings
from lookalike.selection.candidates import Candidate
from lookalike.selection.measure import SweepSettings

QUICKLY = SweepSettings(samples=200, upsert_rows=50, upsert_batches=2, updates=60, batch=16)


def clustered(number: int, dimension: int = 32, seed: int = 0) -> NDArray[np.float32]:
    """(N, D) unit vectors around a few centres."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((8, dimension))
    vectors = centres[random.integers(8, size=number)] + random.standard_normal((number, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def candidate(kind: str, **parameters: object) -> Candidate:
    values = {"structure": {"kind": kind, **parameters}, "exact_rows": 0}
    return Candidate(parse_config(FaissSettings, values, kind))


class Ticking:
    """A clock that goes on by the same step whenever it is read."""

    def __init__(self, step: float = 1.0) -> None:
        self._step = step
        self._ticks = count()

    def __call__(self) -> float:
        return next(self._ticks) * self._step
