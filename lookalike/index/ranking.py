"""The order of answers, the same for every index."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.index.protocol import Hit

SCORE_DECIMALS = 6
"""Identical photos score equally only up to the last float32 bits, which depend on their place in a matrix."""


def round_scores(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine similarities clipped to [-1, 1] and rounded, so that equal photos tie."""
    return np.clip(scores, -1.0, 1.0).round(SCORE_DECIMALS)


def best_first(hits: Sequence[Hit], k: int) -> list[Hit]:
    """The k best hits, ties by photo id."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.photo_id))[:k]
