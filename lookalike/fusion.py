"""The vertical of a query photo, from the model's head and from the votes of its neighbours.

Visual Search at Alibaba (Pailitao, arXiv 2102.04674), section 3.1, category prediction: a classifier knows what a kind
of product looks like, neighbours know what this very product is filed under, and a weighted average of the two
probability vectors beats either. The paper has the 30 nearest photos vote; how much a vote and the head weigh
is calibrated per release, by evaluation, on validation queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lookalike.config import StrictConfig

NEIGHBOURS = 30
"""Photos that vote."""
FUSION = "fusion.json"
"""A Fusion, in an evaluation's folder."""


class Fusion(StrictConfig):
    """How a release tells verticals; written by its evaluation."""

    model_fingerprint: str
    """The model whose heads and vectors it was calibrated on."""
    verticals: tuple[str, ...]
    """V verticals, sorted."""
    attribute: str | None
    """The attribute whose head speaks for verticals; None where the model has no head that helps."""
    by_value: dict[str, tuple[float, ...]]
    """Per value of that attribute the (V,) shares of its products."""
    sharpness: float = Field(ge=0)
    """A neighbour's vote is exp(-sharpness * squared distance)."""
    head_weight: float = Field(ge=0, le=1)
    """Share of the head in the average; the rest are the votes."""
    sure: float = Field(ge=0, le=1)
    """Smallest fused probability a search is narrowed at; 1 where none was found to be safe."""
    boost: float = Field(ge=0)
    """What a photo of a vertical gains in score, times the vertical's fused probability, where a search asks for it."""


@dataclass(frozen=True)
class Opinion:
    """The most probable vertical by one of the witnesses, or by both."""

    value: str
    confidence: float


@dataclass(frozen=True)
class Category:
    """What is believed of a query photo's vertical."""

    probabilities: Mapping[str, float]
    """Fused, by vertical."""
    fused: Opinion
    head: Opinion | None
    """None where no head speaks for verticals."""
    votes: Opinion | None
    """None where no neighbour has a vertical."""


def head_verticals(
    probabilities: NDArray[np.float32], labels: Sequence[str], by_value: Mapping[str, Sequence[float]], count: int
) -> NDArray[np.float64]:
    """(B, C) probabilities of values to (B, V) of verticals; values nobody has seen say nothing."""
    unseen = [1 / count] * count
    shares = np.array([by_value.get(label, unseen) for label in labels])  # (C, V)
    return np.asarray(probabilities @ shares, dtype=np.float64)


def vote_verticals(
    scores: NDArray[np.float32], verticals: NDArray[np.int64], count: int, sharpness: float
) -> NDArray[np.float64]:
    """(Q, K) cosines of neighbours and their verticals, -1 for none, to (Q, V) shares of the votes.

    The squared distance of unit vectors is 2 - 2 cos. Where nobody votes, all verticals are as likely.
    """
    weights = np.exp(-sharpness * (2 - 2 * scores.astype(np.float64)))  # (Q, K)
    votes = np.zeros((len(scores), count + 1))
    np.add.at(votes, (np.arange(len(scores))[:, None], verticals), weights)  # -1 is the last column
    votes = votes[:, :count]
    total = votes.sum(axis=1, keepdims=True)
    return np.where(total > 0, votes / np.where(total > 0, total, 1), 1 / count)


def fuse(head: NDArray[np.float64], votes: NDArray[np.float64], head_weight: float) -> NDArray[np.float64]:
    """The weighted average of two (Q, V) distributions."""
    return head_weight * head + (1 - head_weight) * votes


def judge_category(
    fusion: Fusion,
    probabilities: NDArray[np.float32] | None,
    labels: Sequence[str],
    neighbours: Sequence[tuple[float, str | None]],
) -> Category:
    """The vertical of ONE photo: (C,) probabilities of the head's `labels`, and its neighbours' (cosine, vertical)."""
    count = len(fusion.verticals)
    places = {vertical: place for place, vertical in enumerate(fusion.verticals)}
    filed = np.array([[places.get(vertical or "", -1) for _, vertical in neighbours]], dtype=np.int64)  # (1, K)
    scores = np.array([[score for score, _ in neighbours]], dtype=np.float32)
    votes = vote_verticals(scores, filed, count, fusion.sharpness) if (filed >= 0).any() else None
    head = None if probabilities is None else head_verticals(probabilities[None], labels, fusion.by_value, count)
    if head is not None and votes is not None:
        fused = fuse(head, votes, fusion.head_weight)
    else:
        fused = next((one for one in (head, votes) if one is not None), np.full((1, count), 1 / count))
    shares = dict(zip(fusion.verticals, fused[0].tolist(), strict=True))
    return Category(shares, _opinion(fusion, fused), _said(fusion, head), _said(fusion, votes))


def _said(fusion: Fusion, distribution: NDArray[np.float64] | None) -> Opinion | None:
    return None if distribution is None else _opinion(fusion, distribution)


def _opinion(fusion: Fusion, distribution: NDArray[np.float64]) -> Opinion:
    best = int(distribution[0].argmax())
    return Opinion(fusion.verticals[best], float(distribution[0, best]))
