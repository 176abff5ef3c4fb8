"""One classifier per attribute, reading the embedding itself."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.models.distances import normalise

STARTING_SCALE = 16.0
"""Logits are cosines times this; cosines alone could never make a confident softmax."""


class AttributeHead(nn.Module):
    """C cosines between the embedding and a learnt direction per value, scaled, plus a bias for rare values.

    A head on a separate layer can classify well while the embedding retrieves badly; a cosine head makes
    products of one value point the same way, which is what retrieval compares.
    """

    def __init__(self, dimension: int, values: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(values, dimension) * dimension**-0.5)  # (C, D)
        self.log_scale = nn.Parameter(torch.tensor(STARTING_SCALE).log())
        self.bias = nn.Parameter(torch.zeros(values))

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, D) unit vectors to (B, C) logits."""
        cosines = functional.linear(embedding, normalise(self.directions))
        return self.log_scale.exp() * cosines + self.bias


class AttributeHeads(nn.Module):
    """A head per attribute, in the order of the value counts given."""

    def __init__(self, dimension: int, value_counts: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(AttributeHead(dimension, count) for count in value_counts)

    def forward(self, embedding: Tensor) -> list[Tensor]:
        """(B, D) to A logits of (B, C), C the attribute's own."""
        return [head(embedding) for head in self.heads]

    def probabilities(self, embedding: Tensor) -> Tensor:
        """(B, sum of C): the softmax of every head, side by side; (B, 0) without heads."""
        softmaxes = [logits.softmax(dim=1) for logits in self(embedding)]
        return torch.cat([embedding[:, :0], *softmaxes], dim=1) if not softmaxes else torch.cat(softmaxes, dim=1)
